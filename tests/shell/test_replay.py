import pytest

from pytest_xeonperf.records import Outcome
from pytest_xeonperf.shell.replay import replayed
from pytest_xeonperf.shell.reporting import results_on


@pytest.fixture
def item(pytester):
    return pytester.getitem("def test_func(): ...")


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_test_from_the_history_has_the_outcome_it_had(item, make_result, outcome):
    report = replayed(item, [make_result(outcome=outcome, reason="because")])
    expected = "passed" if outcome is Outcome.PASS else "failed" if outcome.red else "skipped"
    assert report.outcome == expected
    assert outcome is Outcome.PASS or (outcome.value in str(report.longrepr) and "because" in str(report.longrepr))


def test_one_red_result_of_several_makes_the_test_red(item, make_result):
    results = [make_result(), make_result(outcome=Outcome.INCONCLUSIVE), make_result(outcome=Outcome.BELOW_FLOOR)]
    report = replayed(item, results)
    assert report.outcome == "failed"
    assert "INCONCLUSIVE" not in str(report.longrepr)


def test_its_results_are_on_its_report(item, make_result):
    results = (make_result(), make_result("sdpa_bf16"))
    assert results_on(replayed(item, results)) == results


def test_it_is_the_same_test_to_every_reporter(item, make_result):
    report = replayed(item, [make_result()])
    assert (report.nodeid, report.location, report.when) == (item.nodeid, item.location, "call")
