"""Alerts in words, for the terminal and the pages alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.judge.meanwhile import Part
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_change, show_count, show_day, show_more_time, show_time_change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_xeonperf.alerts import Alert, AlertEvent
    from pytest_xeonperf.judge.meanwhile import Meanwhile

_SHORT_SHA = 10


def worst_first(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Open ones before those that were decided, within each what became slower most."""
    return tuple(sorted(alerts, key=lambda alert: (not alert.state.open, -alert.latency_ratio, alert.id)))


def moved(alert: Alert) -> str:
    """By how much the latency changed, with its interval where there is one."""
    return show_change(alert.latency_ratio) if isinstance(alert.speed, Unknown) else show_time_change(alert.speed)


def slowed(alert: Alert) -> str:
    """What became of its case: ``takes 11.8 % more time``."""
    return f"takes {show_more_time(alert.latency_ratio)}"


def since(alert: Alert) -> str:
    """From when on, and from which commit if that is known: ``since 2026-05-26 (commit 1a1a1a1a1a)``."""
    commit = "" if isinstance(alert.sha_after, Unknown) else f" (commit {alert.sha_after[:_SHORT_SHA]})"
    return f"since {show_day(alert.since)}{commit}"


def commits(alert: Alert) -> str:
    """Between which commits it happened: ``0f0f0f0f0f..1a1a1a1a1a``."""
    ends = (alert.sha_before, alert.sha_after)
    return "..".join("unknown" if isinstance(sha, Unknown) else sha[:_SHORT_SHA] for sha in ends)


_SIDES = {
    Part.NONE: ("The variant moved", "meanwhile"),
    Part.SOME: ("The variant moved, and partly what both sides share", "too"),
    Part.MOST: ("The machine moved, or what both sides share", "too"),
}


def side(found: Meanwhile | Unknown) -> str:
    """Which side moved: ``The variant moved: its baseline takes ±0.0 % time meanwhile (10 runs before, 8 since).``."""
    if isinstance(found, Unknown):
        return f"Which side moved is unknown: {found.reason}."
    who, word = _SIDES[found.part]
    runs = f"{show_count(found.runs_before, 'run')} before, {found.runs_since} since"
    return f"{who}: its baseline takes {show_change(found.baseline_ratio)} time {word} ({runs})."


def happened(event: AlertEvent) -> str:
    """What an event changed: ``state new → fixed``; where it changed no field, what it was."""
    changes = (f"{name} {before or 'nothing'} → {after or 'nothing'}" for name, before, after in event.changes)
    return ", ".join(changes) or (event.kind.value if not event.note else "")
