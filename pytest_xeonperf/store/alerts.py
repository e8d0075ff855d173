"""Alerts in the history: what there is of them, and writing down what is new, one after the other."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, text, update

from pytest_xeonperf.alerts import AlertEvent, EventKind
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.alert_rows import alert_from, alert_row, event_from, event_row
from pytest_xeonperf.store.reading import columns_of
from pytest_xeonperf.store.writing import insert_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from pytest_xeonperf.alerts import Alert, AlertState
    from pytest_xeonperf.judge.alerts import Findings
    from pytest_xeonperf.records import Case


def read_alerts(
    connection: Connection, *, states: Sequence[AlertState], case_id: str, comparability_class: str, limit: int
) -> tuple[Alert, ...]:
    """Alerts, newest first; no states stand for all of them, an empty string for any case or class."""
    query = (
        select(schema.alert, schema.case)
        .join_from(schema.alert, schema.case)
        .order_by(schema.alert.c.raised_at.desc(), schema.alert.c.id)
        .limit(limit)
    )
    if states:
        query = query.where(schema.alert.c.state.in_([state.value for state in states]))
    if case_id:
        query = query.where(schema.alert.c.case_id == case_id)
    if comparability_class:
        query = query.where(schema.alert.c.comparability_class == comparability_class)
    rows = connection.execute(query).mappings()
    return tuple(
        alert_from(columns_of(schema.alert, row), from_rows.case_from(columns_of(schema.case, row))) for row in rows
    )


def read_alert(connection: Connection, alert_id: str) -> Alert:
    """One alert.

    Raises:
        UsageError: There is none of that id.
    """
    query = select(schema.alert, schema.case).join_from(schema.alert, schema.case).where(schema.alert.c.id == alert_id)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UsageError(f"there is no alert {alert_id[:50]!r}", remedy="`xeonperf alerts --all` shows them")
    return alert_from(columns_of(schema.alert, row), from_rows.case_from(columns_of(schema.case, row)))


def read_events(connection: Connection, alert_id: str) -> tuple[AlertEvent, ...]:
    """What happened to an alert, in that order."""
    query = (
        select(schema.alert_event).where(schema.alert_event.c.alert_id == alert_id).order_by(schema.alert_event.c.id)
    )
    return tuple(event_from(columns_of(schema.alert_event, row)) for row in connection.execute(query).mappings())


def record(connection: Connection, case: Case, found: Findings) -> None:
    """Write down what a judge makes of the alerts of a case, whose turn this is."""
    insert_case(connection, case)
    for alert in found.raised:
        connection.execute(insert(schema.alert), alert_row(alert))
        note(connection, _raised(alert))
    for followed in found.followed:
        put(connection, followed.alert)
        for event in followed.events:
            note(connection, event)


def put(connection: Connection, alert: Alert) -> None:
    """Write an alert that is there as it is now."""
    connection.execute(update(schema.alert).where(schema.alert.c.id == alert.id).values(alert_row(alert)))


def note(connection: Connection, event: AlertEvent) -> None:
    """Write down what happened to an alert."""
    connection.execute(insert(schema.alert_event), event_row(event))


def _raised(alert: Alert) -> AlertEvent:
    return AlertEvent(
        alert_id=alert.id, kind=EventKind.RAISED, by=alert.source.label, at=alert.raised_at, changes=(), note=""
    )


def take_turns(connection: Connection, *names: str) -> None:
    """Wait for whoever is at the same alerts: SQLite has one writer anyway, PostgreSQL is asked for a lock."""
    if connection.dialect.name == "postgresql":
        key = int.from_bytes(hashlib.sha256("\0".join(names).encode()).digest()[:8], signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
