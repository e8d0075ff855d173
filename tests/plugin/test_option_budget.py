from pytest_xeonperf.records import Outcome


def test_what_the_budget_leaves_undecided_is_inconclusive_and_neither_green_nor_red(quick_session):
    result = quick_session.results["test_of_the_baseline_s_own_speed"]
    assert result.verdict.outcome is Outcome.INCONCLUSIVE
    assert "undecided" in result.verdict.reason


def test_a_ladder_gets_its_fewest_rounds_whatever_the_budget(quick_session):
    assert len(quick_session.results["test_of_the_baseline_s_own_speed"].measurement.samples) == 6


def test_the_budget_is_recorded(quick_session):
    assert dict(quick_session.runs[-1].options)["budget_s"] == "0.001"
