"""Alerts in the history: what there is of them, and writing down what is new, one after the other."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, insert, or_, select, text, update

from pytest_xeonperf.alerts import AlertEvent, AlertState, EventKind
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.alert_rows import alert_from, alert_row, event_from, event_row
from pytest_xeonperf.store.reading import columns_of
from pytest_xeonperf.store.writing import insert_case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.judge.alerts import Findings
    from pytest_xeonperf.records import Case

_NEWS = (EventKind.RAISED, EventKind.RECOVERED, EventKind.REOPENED)
"""What happens to alerts without anybody having decided it."""


def read_alerts(
    connection: Connection,
    *,
    states: Sequence[AlertState],
    case_id: str,
    comparability_class: str,
    limit: int,
    beyond: str = "",
) -> tuple[Alert, ...]:
    """Alerts, newest first; no states stand for all of them, an empty string for any case or class.

    Args:
        connection: Of the history.
        states: Of the alerts.
        case_id: Of their case.
        comparability_class: Of machines.
        limit: Alerts at most.
        beyond: Id of an alert that they come after, whatever has become of that one; an empty one is of none.

    Raises:
        UsageError: There is no such alert.
    """
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
    if beyond:
        query = query.where(_beyond(connection, beyond))
    rows = connection.execute(query).mappings()
    return tuple(
        alert_from(columns_of(schema.alert, row), from_rows.case_from(columns_of(schema.case, row))) for row in rows
    )


def _beyond(connection: Connection, alert_id: str) -> ColumnElement[bool]:
    """What holds of alerts that come after one where the newest is first; of equal times the ids decide.

    Raises:
        UsageError: There is no such alert.
    """
    alert = schema.alert.c
    raised_at = connection.scalar(select(alert.raised_at).where(alert.id == alert_id))
    if raised_at is None:
        raise UsageError(f"there is no alert {alert_id[:50]!r}", remedy="say what `older` was in an answer")
    return or_(alert.raised_at < raised_at, and_(alert.raised_at == raised_at, alert.id > alert_id))


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


def read_news(connection: Connection, *, limit: int, branch: str) -> tuple[tuple[Alert, AlertEvent], ...]:
    """The newest events that people want to be told of, each with its alert as it is now; newest first.

    An empty string stands for any branch; else only alerts count whose first slow run is of that one.
    """
    event = schema.alert_event.c
    query = (
        select(schema.alert_event, schema.alert, schema.case)
        .join_from(schema.alert_event, schema.alert)
        .join(schema.case, schema.case.c.id == schema.alert.c.case_id)
        .where(event.kind.in_([kind.value for kind in _NEWS]))
        .order_by(event.id.desc())
        .limit(limit)
    )
    if branch:
        query = query.join(schema.run, schema.run.c.id == schema.alert.c.run_id).where(schema.run.c.branch == branch)
    return tuple(
        (
            alert_from(columns_of(schema.alert, row), from_rows.case_from(columns_of(schema.case, row))),
            event_from(columns_of(schema.alert_event, row)),
        )
        for row in connection.execute(query).mappings()
    )


def count_alerts(connection: Connection) -> dict[AlertState, int]:
    """How many alerts are in each state, also if that is none."""
    query = select(schema.alert.c.state, func.count().label("number")).group_by(schema.alert.c.state)
    found = {row.state: row.number for row in connection.execute(query)}
    return {state: found.get(state.value, 0) for state in AlertState}


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
