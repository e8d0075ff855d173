import pytest

from pytest_xeonperf.records import Outcome
from pytest_xeonperf.shell.replay import replayed
from pytest_xeonperf.shell.reporting import attach, results_of, results_on


@pytest.fixture
def item(pytester):
    return pytester.getitem("def test_func(): ...")


@pytest.fixture
def reports(pytester):
    """Runs a test and gives its reports, with these results on that of its call."""

    def run(text, *results):
        path = pytester.makepyfile(test_told=text)
        reports = pytester.inline_run(path, "-p", "no:xeonperf").getreports("pytest_runtest_logreport")
        attach(next(report for report in reports if report.when == "call"), results)
        return reports

    return run


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


XFAIL = "import pytest\n@pytest.mark.xfail(reason='known', strict={strict})\ndef test_it():\n    assert {holds}\n"
TEARDOWN = """
import pytest

@pytest.fixture
def broken():
    yield
    raise ValueError("at the end")

def test_it(broken): ...
"""


@pytest.mark.parametrize(
    ("text", "verdict", "expected"),
    [
        ("def test_it():\n    assert 1 == 2", Outcome.PASS, ("failed", "assert 1 == 2")),
        ("import pytest\ndef test_it():\n    pytest.skip('enough')", Outcome.PASS, ("skipped", "Skipped: enough")),
        ("def test_it(): 'catches what its check raises'", Outcome.BELOW_FLOOR, ("passed", "None")),
        (TEARDOWN, Outcome.PASS, ("failed", "ValueError: at the end")),
        (XFAIL.format(strict=True, holds=False), Outcome.BELOW_FLOOR, ("xfailed", "known")),
        (XFAIL.format(strict=True, holds=True), Outcome.PASS, ("failed", "[XPASS(strict)] known")),
        (XFAIL.format(strict=False, holds=True), Outcome.PASS, ("xpassed", "None")),
    ],
    ids=["fails after", "skips after", "catches", "teardown", "xfail", "strict xpass", "xpass"],
)
def test_a_test_that_comes_out_as_its_verdicts_do_not_tell_comes_out_so_again(came_out, text, verdict, expected):
    assert came_out(text, verdict) == expected


@pytest.fixture
def came_out(reports, item, make_result):
    """How a test comes out when it is replayed, and why, after it ran with a result of this outcome."""

    def run(text, verdict):
        results = results_of(reports(text, make_result(outcome=verdict)))
        assert results[0].verdict.outcome is verdict
        report = replayed(item, results)
        words = {"skipped": "xfailed", "passed": "xpassed"} if hasattr(report, "wasxfail") else {}
        return words.get(report.outcome, report.outcome), _why(report)

    return run


def _why(report):
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("def test_it(): ...", Outcome.PASS),
        ("import pytest\ndef test_it():\n    pytest.fail('red')", Outcome.REGRESSION),
        ("import pytest\ndef test_it():\n    pytest.skip('open')", Outcome.INCONCLUSIVE),
    ],
    ids=["passes", "red", "undecided"],
)
def test_nothing_is_kept_beside_verdicts_that_tell_all(reports, make_result, text, outcome):
    assert results_of(reports(text, make_result(outcome=outcome))) == (make_result(outcome=outcome),)


def test_reports_without_results_come_to_none(reports):
    assert results_of(reports("def test_it(): assert False")) == ()


def test_of_two_results_for_one_case_the_last_is_kept(reports, make_result):
    # a test that checked, and then did not live to the end
    told = reports("def test_it(): assert False", make_result())
    attach(told[-1], (make_result(outcome=Outcome.CRASHED),))
    (result,) = results_of(told)
    assert result.verdict.outcome is Outcome.CRASHED
