"""Tests that an earlier, unfinished run has finished already: reported from the history, not measured again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.shell.reporting import THE_TEST, attach, outcome_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Result

_PYTEST_S = {"xfailed": "skipped", "xpassed": "passed"}
"""Outcomes on the report of a test that was expected to fail."""


def replayed(item: pytest.Item, results: Sequence[Result]) -> pytest.TestReport:
    """The report of a test, made from its results in the history: it comes out as it did."""
    outcome, text = _as_it_came_out(results)
    path, line, _ = item.location
    told = _PYTEST_S.get(outcome, outcome)
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="failed" if told == "failed" else "skipped" if told == "skipped" else "passed",
        longrepr=text if told == "failed" else (path, (line or 0) + 1, text) if told == "skipped" else None,
        when="call",
    )
    if outcome in _PYTEST_S:
        report.wasxfail = text
    attach(report, tuple(results))
    return report


def _as_it_came_out(results: Sequence[Result]) -> tuple[str, str]:
    """The outcome of the test and why: kept beside a verdict, or what the verdicts come to."""
    for result in results:
        for kept in result.verdict.expectations:
            if kept.name == THE_TEST:
                outcome, _, text = kept.found.partition(": ")
                return outcome, text
    red = [result for result in results if result.verdict.outcome.red]
    undecided = [result for result in results if result.verdict.outcome.undecided]
    text = "\n".join(f"{result.verdict.outcome}: {result.verdict.reason}" for result in red or undecided)
    return outcome_by(results), text
