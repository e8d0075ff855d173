"""How results travel: as plain data on the report of the test, so that any reporter can pass them on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.records import Expectation, Isa, Measurement, Timing
from pytest_xeonperf.shell.state import RESULTS

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Sequence

    from pytest_xeonperf.records import Result

THE_TEST = "test"
"""Name of the expectation that keeps how a test came out, where its verdicts alone would tell it differently."""

_LONGEST = 300


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what the checks of a test came to onto the report of its call (see the pytest reference)."""
    report = yield
    results = item.stash.get(RESULTS, [])
    if call.when == "call" and results:
        attach(report, tuple(results))
    if call.when == "teardown":  # where JUnit takes them from
        report.user_properties.extend(_properties(results))
    return report


def attach(report: pytest.TestReport, results: tuple[Result, ...]) -> None:
    """Put results onto a report: whole as plain data, and a few scalars as properties for other reporters."""
    from pytest_xeonperf.exchange.native import to_plain

    report.xeonperf_results = [to_plain(result) for result in results]  # type: ignore[attr-defined]
    report.user_properties.extend(_properties(results))


def teardown_after(report: pytest.TestReport) -> pytest.TestReport:
    """The closing report of a test whose call was reported by the session itself."""
    return pytest.TestReport(
        nodeid=report.nodeid,
        location=report.location,
        keywords=report.keywords,
        outcome="passed",
        longrepr=None,
        when="teardown",
        user_properties=report.user_properties,
    )


def results_on(report: pytest.TestReport) -> tuple[Result, ...]:
    """What `attach` put there; nothing on other reports."""
    plain = getattr(report, "xeonperf_results", ())
    if not plain:
        return ()
    from pytest_xeonperf.exchange.native import result_from_plain

    return tuple(result_from_plain(result) for result in plain)


def results_of(reports: Sequence[pytest.TestReport]) -> tuple[Result, ...]:
    """What the reports of one whole test say of its cases, with its own outcome where that does not follow from them.

    It does not where a test fails after its check, is expected to fail, or catches what its check raises.
    """
    results = {result.case.id: result for report in reports for result in results_on(report)}
    if not results:
        return ()
    expected, found = outcome_by(results.values()), _came_out(reports)
    if found.partition(":")[0] == expected:
        return tuple(results.values())
    kept = Expectation(
        name=THE_TEST, required=f"{expected}, by its verdicts", found=found, held=False, isa=Isa.GENERIC.value
    )
    return tuple(
        replace(result, verdict=replace(result.verdict, expectations=(*result.verdict.expectations, kept)))
        for result in results.values()
    )


def outcome_by(results: Collection[Result]) -> str:
    """The outcome of a test that does nothing but check: pytest's word for it."""
    outcomes = [result.verdict.outcome for result in results]
    if any(outcome.red for outcome in outcomes):
        return "failed"
    return "skipped" if any(outcome.undecided for outcome in outcomes) else "passed"


def _came_out(reports: Sequence[pytest.TestReport]) -> str:
    """How a test came out, and after a colon why: ``failed: assert 1 == 2``, ``xfailed: known``, ``passed``."""
    last = next((report for report in reports if report.failed), [each for each in reports if each.when == "call"][-1])
    if hasattr(last, "wasxfail"):
        return f"{'xpassed' if last.passed else 'xfailed'}: {last.wasxfail}"
    crash = getattr(last.longrepr, "reprcrash", None)
    text = last.longrepr[2] if isinstance(last.longrepr, tuple) else crash.message if crash else last.longreprtext
    return f"{last.outcome}: {text[:_LONGEST]}"


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A skip because no verdict could be reached is shown and counted as undecided; an expected failure is not one."""
    expected = hasattr(report, "wasxfail")
    undecided = report.skipped and not expected and outcome_by(results_on(report)) == "skipped"
    return ("undecided", "U", "UNDECIDED") if undecided else None


def _properties(results: Iterable[Result]) -> list[tuple[str, object]]:
    """A few scalars of each result."""
    properties: list[tuple[str, object]] = []
    for result in results:
        properties.append(("xeonperf.verdict", result.verdict.outcome.value))
        if isinstance(result.measurement, Measurement):
            properties.append(("xeonperf.speedup_ratio", result.measurement.speedup.ratio))
            properties.append(("xeonperf.median_ns", result.measurement.candidate_median_ns))
        elif isinstance(result.measurement, Timing):
            properties.append(("xeonperf.median_ns", result.measurement.median_ns))
    return properties
