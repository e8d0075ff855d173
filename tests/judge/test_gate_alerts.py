"""A gate's regressions as alerts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.alerts import AlertSource
from pytest_xeonperf.judge.gate_alerts import gate_findings
from pytest_xeonperf.records import Commit, Estimate, Outcome, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = "2026-09-30T10:00:00+00:00"


def test_only_confirmed_regressions_raise_once_for_two_commits(comparison: Callable, compared: Callable) -> None:
    crashed = compared(Outcome.CRASHED, change=Unknown(reason="died"))
    undecided = compared(Outcome.INCONCLUSIVE, change=compared(Outcome.REGRESSION).change)
    assert not isinstance(undecided.change, Unknown)
    assert gate_findings(comparison(compared(), crashed, undecided), (), at=NOW).raised == ()
    found = gate_findings(comparison(compared(), crashed, compared(Outcome.REGRESSION)), (), at=NOW)
    (alert,) = found.raised
    assert alert.source is AlertSource.GATE
    assert alert.latency_ratio == pytest.approx(1.05)
    assert isinstance(alert.speed, Estimate)
    assert (alert.before_ns, alert.after_ns) == (1_000_000, 1_050_000)
    assert (alert.sha_before, alert.sha_after) == ("a" * 40, "b" * 40)
    again = gate_findings(comparison(compared(Outcome.REGRESSION)), found.raised, at=NOW)
    assert (again.raised, again.seen) == ((), (alert.id,))


def test_another_head_is_another_alert(comparison: Callable, compared: Callable) -> None:
    found = gate_findings(comparison(compared(Outcome.REGRESSION)), (), at=NOW)
    head = Commit(sha="c" * 40, branch="x", dirty=False, committed_at=NOW, subject="Later")
    later = gate_findings(comparison(compared(Outcome.REGRESSION), head_commit=head), found.raised, at=NOW)
    assert len(later.raised) == 1


def test_the_medians_are_for_one_item(comparison: Callable, compared: Callable) -> None:
    (alert,) = gate_findings(comparison(compared(Outcome.REGRESSION, items_per_call=10)), (), at=NOW).raised
    assert (alert.before_ns, alert.after_ns) == (100_000, 105_000)


def test_what_is_not_between_two_commits_alone_raises_nothing(comparison: Callable, compared: Callable) -> None:
    found = comparison(compared(Outcome.REGRESSION))
    newer = replace(found.head_machine, facts=(("torch", "2.14.0"),))
    for other in (replace(found, head_machine=newer), replace(found, base_commit=found.head_commit)):
        assert gate_findings(other, (), at=NOW).raised == ()
