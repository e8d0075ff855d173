"""Tests that an earlier, unfinished run has finished already: reported from the history, not measured again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.shell.reporting import attach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Result


def replayed(item: pytest.Item, results: Sequence[Result]) -> pytest.TestReport:
    """The report of a test, made from its results in the history."""
    red = [result for result in results if result.verdict.outcome.red]
    undecided = [result for result in results if result.verdict.outcome.undecided]
    text = "\n".join(f"{result.verdict.outcome}: {result.verdict.reason}" for result in red or undecided)
    path, line, _ = item.location
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="failed" if red else "skipped" if undecided else "passed",
        longrepr=text if red else (path, (line or 0) + 1, text) if undecided else None,
        when="call",
    )
    attach(report, tuple(results))
    return report
