"""Alerts in the history: the series they are found from, and raising them once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, text, update

from pytest_xeonperf.alerts import AlertEvent, AlertState, EventKind, SeriesPoint
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.alert_rows import alert_from, alert_row, event_from, event_row
from pytest_xeonperf.store.reading import columns_of
from pytest_xeonperf.store.writing import insert_case

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.judge.alerts import Findings
    from pytest_xeonperf.records import Case


def read_series(
    connection: Connection, case_id: str, comparability_class: str, *, limit: int
) -> tuple[SeriesPoint, ...]:
    """The newest measurements of a case on a class of machine, oldest first; no more of them than a level needs."""
    median_ns = func.coalesce(schema.measurement.c.candidate_median_ns, schema.timing.c.median_ns)
    query = (
        select(
            schema.run.c.id,
            schema.run.c.started_at,
            schema.run.c.commit_sha,
            schema.run.c.commit_unknown,
            schema.run.c.machine_fingerprint,
            median_ns.label("median_ns"),
        )
        .join_from(schema.result, schema.run, schema.run.c.id == schema.result.c.run_id)
        .join(schema.machine, schema.machine.c.fingerprint == schema.run.c.machine_fingerprint)
        .outerjoin(schema.measurement, schema.measurement.c.result_id == schema.result.c.id)
        .outerjoin(schema.timing, schema.timing.c.result_id == schema.result.c.id)
        .where(schema.result.c.case_id == case_id)
        .where(schema.machine.c.comparability_class == comparability_class)
        .where(median_ns > 0)
        .order_by(schema.run.c.started_at.desc(), schema.result.c.id.desc())
        .limit(limit)
    )
    points = [
        SeriesPoint(
            run_id=row["id"],
            started_at=row["started_at"],
            sha=from_rows.known(dict(row), "commit_sha", "commit_unknown"),
            fingerprint=row["machine_fingerprint"],
            median_ns=row["median_ns"],
        )
        for row in connection.execute(query).mappings()
    ]
    return tuple(reversed(points))


def read_series_names(connection: Connection) -> tuple[tuple[Case, str], ...]:
    """Every case with each class of machine that it was measured on."""
    machine = schema.machine.c.comparability_class
    query = (
        select(schema.case, machine)
        .join_from(schema.result, schema.case)
        .join(schema.run, schema.run.c.id == schema.result.c.run_id)
        .join(schema.machine, schema.machine.c.fingerprint == schema.run.c.machine_fingerprint)
        .distinct()
        .order_by(schema.case.c.id, machine)
    )
    return tuple(
        (from_rows.case_from(columns_of(schema.case, row)), row[machine])
        for row in connection.execute(query).mappings()
    )


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


def record(
    connection: Connection,
    case: Case,
    comparability_class: str,
    judge: Callable[[Sequence[Alert]], Findings],
    *,
    limit: int,
) -> Findings:
    """Write down what a judge makes of the alerts of a case on a class of machine, while nobody else does."""
    take_turns(connection, case.id, comparability_class)
    known = read_alerts(connection, states=(), case_id=case.id, comparability_class=comparability_class, limit=limit)
    found = judge(known)
    insert_case(connection, case)
    for alert in found.raised:
        connection.execute(insert(schema.alert), alert_row(alert))
        note(connection, _raised(alert))
    for followed in found.followed:
        put(connection, followed.alert)
        for event in followed.events:
            note(connection, event)
    return found


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
