"""Which of a gate's regressions are news: every confirmed one, once for the two commits it lies between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import Alert, AlertSource, Direction, gate_id
from pytest_xeonperf.judge.alerts import Findings
from pytest_xeonperf.records import Outcome, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_xeonperf.judge.comparison import ComparedCase, Comparison


def gate_findings(comparison: Comparison, known: Sequence[Alert], *, at: str) -> Findings:
    """The alerts of a gate's confirmed regressions, but for those between the same two commits that are there.

    Args:
        comparison: What the gate came to.
        known: Alerts that are there, of any case.
        at: The time now, UTC ISO-8601.
    """
    if why_none(comparison):
        return Findings()
    there = {each.id for each in known}
    found = {alert.id: alert for each in comparison.cases for alert in _of_gate(comparison, each, at)}
    return Findings(
        raised=tuple(alert for alert_id, alert in found.items() if alert_id not in there),
        seen=tuple(sorted(found.keys() & there)),
    )


def why_none(comparison: Comparison) -> str:
    """Why a gate raises no alert whatever it found; empty where base and head are two commits and differ in no more.

    A gate of two interpreters answers a question about torch, say: between two commits nobody would find its answer.
    """
    base, head = comparison.base_machine, comparison.head_machine
    if base.fingerprint != head.fingerprint:
        names = sorted({name for name, _value in {*base.facts} ^ {*head.facts}})
        return f"base and head differ in more than their commits: {', '.join(names) or 'the machine'}"
    if comparison.base_commit.sha == comparison.head_commit.sha:
        return "base and head are the same commit"
    return ""


def _of_gate(comparison: Comparison, each: ComparedCase, at: str) -> Iterator[Alert]:
    """One alert where a case is slower for sure; what crashed or is undecided is no slow-down."""
    change = each.change
    if each.outcome is not Outcome.REGRESSION or isinstance(change, Unknown):
        return
    no_run = Unknown(reason="a gate's rounds are no run of the history")
    base_sha, head_sha = comparison.base_commit.sha, comparison.head_commit.sha
    machine = comparison.head_machine.comparability_class
    yield Alert(
        id=gate_id(each.case, machine, base_sha, head_sha),
        case=each.case,
        comparability_class=machine,
        source=AlertSource.GATE,
        direction=Direction.SLOWER,
        latency_ratio=1 / change.own.ratio,
        speed=change.own,
        before_ns=change.base_ns // each.items_per_call,
        after_ns=change.head_ns // each.items_per_call,
        run_id=no_run,
        fingerprint=no_run,
        since=at,
        sha_before=base_sha,
        sha_after=head_sha,
        raised_at=at,
    )
