from pytest_xeonperf.judge.betting import Decision, decide, log_ratios
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.records import Outcome


def test_when_the_budget_is_spent_the_pairs_so_far_decide_or_leave_it_inconclusive(quick_session):
    # a variant against itself: whether so few pairs decide at this chance of error is luck, what follows is not
    result = quick_session.results["test_of_the_baseline_s_own_speed"]
    rates = levels(0.2, len(quick_session.results))
    decision = decide(
        log_ratios(result.measurement.samples),
        result.verdict.floor_ratio,
        pass_alpha=rates.pass_alpha,
        red_alpha=rates.red_alpha,
    )
    words = {
        Decision.ABOVE: {Outcome.PASS},
        Decision.BELOW: {Outcome.BELOW_FLOOR, Outcome.INCONCLUSIVE},  # if a fresh process sees something else
        Decision.OPEN: {Outcome.INCONCLUSIVE},
    }
    assert result.verdict.outcome in words[decision]
    said, _, _ = result.verdict.reason.partition("; not confirmed in a fresh process")  # which may be undecided too
    assert ("undecided" in said) == (decision is Decision.OPEN)


def test_a_ladder_gets_its_fewest_rounds_whatever_the_budget(quick_session):
    assert len(quick_session.results["test_of_the_baseline_s_own_speed"].measurement.samples) == 6


def test_the_budget_is_recorded(quick_session):
    assert dict(quick_session.runs[-1].options)["budget_s"] == "0.001"
