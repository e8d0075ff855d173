"""Alerts as people read them in a terminal: a table, worst first, and one alert with its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_change, show_ns, show_time, show_time_change

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_xeonperf.alerts import Alert, AlertEvent

_SHORT_SHA = 10


def worst_first(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Open ones before those that were decided, within each what became slower most."""
    return tuple(sorted(alerts, key=lambda alert: (not alert.state.open, -alert.latency_ratio, alert.id)))


def alerts_table(alerts: Iterable[Alert]) -> Table:
    """One line an alert."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False)
    for title, right in (
        ("id", False),
        ("state", False),
        ("latency", True),
        ("before", True),
        ("after", True),
        ("case", False),
        ("since", False),
        ("commits", False),
        ("by", False),
        ("assignee", False),
    ):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    for alert in alerts:
        table.add_row(*map(Text, _cells(alert)))
    return table


def alert_lines(alert: Alert, events: Sequence[AlertEvent]) -> tuple[str, ...]:
    """One alert with all it says, and what happened to it."""
    facts = [
        ("state", alert.state.value),
        ("case", alert.case.label),
        ("latency", f"{moved(alert)}, from {show_ns(alert.before_ns)} to {show_ns(alert.after_ns)}"),
        ("raised", f"{show_time(alert.raised_at)} by {alert.source.label}"),
        ("first run", alert.run_id.reason if isinstance(alert.run_id, Unknown) else alert.run_id),
        ("commits", commits(alert)),
        ("machine", f"class {alert.comparability_class}"),
        ("back in run", alert.recovered_run_id),
        ("assignee", alert.assignee),
        ("issue", alert.issue_url),
        ("note", " ".join(alert.note.split())),
    ]
    shown = [f"{name:<12} {value}" for name, value in facts if value and not isinstance(value, Unknown)]
    return (f"alert {alert.id}", *shown, "", *map(event_line, events))


def moved(alert: Alert) -> str:
    """By how much the latency changed, with its interval where there is one."""
    return show_change(alert.latency_ratio) if isinstance(alert.speed, Unknown) else show_time_change(alert.speed)


def commits(alert: Alert) -> str:
    """Between which commits it happened: ``0f0f0f0f0f..1a1a1a1a1a``."""
    ends = (alert.sha_before, alert.sha_after)
    return "..".join("unknown" if isinstance(sha, Unknown) else sha[:_SHORT_SHA] for sha in ends)


def event_line(event: AlertEvent) -> str:
    """One event: ``2026-09-30 10:00  Ann: state new → fixed``."""
    changes = ", ".join(f"{name} {before or 'nothing'} → {after or 'nothing'}" for name, before, after in event.changes)
    said = "; ".join(part for part in (changes, " ".join(event.note.split())) if part) or event.kind.value
    return f"{show_time(event.at)}  {event.by}: {said}"


def _cells(alert: Alert) -> tuple[str, ...]:
    return (
        alert.id,
        alert.state.value,
        show_change(alert.latency_ratio),
        show_ns(alert.before_ns),
        show_ns(alert.after_ns),
        alert.case.label,
        show_time(alert.since),
        commits(alert),
        alert.source.label,
        alert.assignee,
    )
