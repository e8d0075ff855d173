"""Alerts as people read them in a terminal: a table, and one alert with its history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from pytest_xeonperf.exchange.alert_words import commits, happened, moved
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_change, show_ns, show_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_xeonperf.alerts import Alert, AlertEvent


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


def event_line(event: AlertEvent) -> str:
    """One event: ``2026-09-30 10:00  Ann: state new → fixed``."""
    said = "; ".join(part for part in (happened(event), " ".join(event.note.split())) if part)
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
