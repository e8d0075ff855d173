"""How results travel: as plain data on the report of the test, so that any reporter can pass them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.records import Measurement
from pytest_xeonperf.shell.state import RESULTS

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_xeonperf.records import Result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what the checks of a test came to onto the report of its call (see the pytest reference)."""
    report = yield
    results = item.stash.get(RESULTS, [])
    if call.when == "call" and results:
        attach(report, tuple(results))
    return report


def attach(report: pytest.TestReport, results: tuple[Result, ...]) -> None:
    """Put results onto a report: whole as plain data, and a few scalars as properties for JUnit and other reporters."""
    from pytest_xeonperf.exchange.native import to_plain

    report.xeonperf_results = [to_plain(result) for result in results]  # type: ignore[attr-defined]
    for result in results:
        report.user_properties.append(("xeonperf.verdict", result.verdict.outcome.value))
        if isinstance(result.measurement, Measurement):
            report.user_properties.append(("xeonperf.speedup_ratio", result.measurement.speedup.ratio))
            report.user_properties.append(("xeonperf.median_ns", result.measurement.candidate_median_ns))


def results_on(report: pytest.TestReport) -> tuple[Result, ...]:
    """What `attach` put there; nothing on other reports."""
    plain = getattr(report, "xeonperf_results", ())
    if not plain:
        return ()
    from pytest_xeonperf.exchange.native import result_from_plain

    return tuple(result_from_plain(result) for result in plain)


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """A skip because no verdict could be reached is shown and counted as undecided."""
    plain = getattr(report, "xeonperf_results", ())
    return ("undecided", "U", "UNDECIDED") if report.skipped and plain else None
