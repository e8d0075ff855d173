from dataclasses import replace

import pytest

from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.shell.reporting import attach, pytest_report_teststatus, results_on


@pytest.fixture
def make_report():
    """Makes a report of a test's call."""

    def make(outcome="passed"):
        return pytest.TestReport(
            nodeid="test_it.py::test_it", location=("test_it.py", 2, "test_it"), keywords={}, outcome=outcome,
            longrepr=("test_it.py", 3, "why") if outcome == "skipped" else None, when="call",
        )  # fmt: skip

    return make


def test_results_come_off_a_report_as_they_went_on(make_report, make_result):
    results = (make_result(), make_result("sdpa_bf16", Outcome.BELOW_FLOOR, "too slow"))
    report = make_report()
    attach(report, results)
    assert results_on(report) == results


def test_results_survive_the_wire_to_the_session(pytester, make_report, make_result):
    config, report = pytester.parseconfigure(), make_report()
    results = (make_result(measurement=Unknown(reason="it died")),)
    attach(report, results)
    data = config.hook.pytest_report_to_serializable(config=config, report=report)
    assert results_on(config.hook.pytest_report_from_serializable(config=config, data=data)) == results


def test_other_reports_carry_none(make_report):
    assert results_on(make_report()) == ()


def test_scalars_are_properties_for_other_reporters(make_report, make_result):
    report = make_report()
    attach(report, (make_result(),))
    properties = dict(report.user_properties)
    assert properties["xeonperf.verdict"] == "PASS"
    assert (properties["xeonperf.speedup_ratio"], properties["xeonperf.median_ns"]) == (2.0, 1000)


def test_what_was_not_measured_has_a_verdict_and_no_figures(make_report, make_result):
    report = make_report("failed")
    attach(report, (replace(make_result(outcome=Outcome.CRASHED), measurement=Unknown(reason="it died")),))
    assert dict(report.user_properties) == {"xeonperf.verdict": "CRASHED"}


def test_a_skip_without_a_verdict_is_undecided_and_any_other_is_a_skip(make_report, make_result):
    undecided = make_report("skipped")
    attach(undecided, (make_result(outcome=Outcome.INCONCLUSIVE),))
    assert pytest_report_teststatus(undecided) == ("undecided", "U", "UNDECIDED")
    assert pytest_report_teststatus(make_report("skipped")) is None


def test_red_and_green_are_told_as_always(make_report, make_result):
    for outcome in ("passed", "failed"):
        report = make_report(outcome)
        attach(report, (make_result(),))
        assert pytest_report_teststatus(report) is None


def test_an_expected_failure_is_not_undecided(make_report, make_result):
    report = make_report("skipped")
    attach(report, (make_result(outcome=Outcome.BELOW_FLOOR),))
    report.wasxfail = "known"
    assert pytest_report_teststatus(report) is None
