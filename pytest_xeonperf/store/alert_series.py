"""The series that alerts are found from: of each case and class of machine one point a run, of one line of commits.

Runs of uncommitted changes are no part of it: nobody could find what they measured. Nor are runs of branches beside the
main line, which may be slow for a while without anybody having to do something about it. A series that mixes them has
no level: it would raise what a branch does, and hide what main does behind noise that is none.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from pytest_xeonperf.alerts import AlertState, EventKind, Evidence, SeriesPoint
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.alert_rows import event_from
from pytest_xeonperf.store.alerts import read_alerts
from pytest_xeonperf.store.batches import batches
from pytest_xeonperf.store.reading import columns_of
from pytest_xeonperf.store.rebasing import due

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row, Select

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Case

MAIN_BRANCHES = ("main", "master")
"""Names of the main line, where a case has runs enough of it."""

FEWEST = 6
"""Measurements between which a level can change."""

_LOOK_BACK = 1000
"""Newest runs among which the branch of most runs is the main line, where none has its name."""

_ALL = 10_000


def read_evidence(connection: Connection, case_id: str, comparability_class: str, *, limit: int) -> Evidence:
    """What a look at a case on a class of machine goes by, with the newest `limit` points of its series."""
    known = read_alerts(connection, states=(), case_id=case_id, comparability_class=comparability_class, limit=_ALL)
    accepted = select(schema.acceptance.c.run_id).where(schema.acceptance.c.case_id == case_id)
    return Evidence(
        points=read_series(connection, case_id, comparability_class, limit=limit),
        known=known,
        accepted=frozenset(connection.scalars(accepted)),
        fixed_from=_fixed_from(connection, known),
        due=tuple(each.id for each in due(connection, known)),
    )


def read_series(
    connection: Connection, case_id: str, comparability_class: str, *, limit: int
) -> tuple[SeriesPoint, ...]:
    """The newest points of a case on a class of machine, oldest first; no more of them than a level needs.

    Several tests of a case in one run are no independent measurements of its noise: the first counts.
    """
    run_ids = _line(connection, case_id, comparability_class, limit=limit)
    found: dict[str, SeriesPoint] = {}
    for some in batches(run_ids):
        for row in connection.execute(_results(case_id, some)).mappings():
            point = SeriesPoint(
                run_id=row["id"],
                started_at=row["started_at"],
                sha=from_rows.known(dict(row), "commit_sha", "commit_unknown"),
                fingerprint=row["machine_fingerprint"],
                median_ns=row["median_ns"],
            )
            found.setdefault(point.run_id, point)
    return tuple(sorted(found.values(), key=lambda point: (point.started_at, point.run_id)))


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


def _line(connection: Connection, case_id: str, comparability_class: str, *, limit: int) -> Sequence[str]:
    """The newest runs of the main line of a case.

    That is main or master if it has enough runs for a level to change; else the branch of most of the newest runs, of
    two the one that has been there for longer. Where no commit is known, that is a line of its own.
    """
    runs = _measured(case_id, comparability_class)
    for name in MAIN_BRANCHES:
        there = select(schema.run.c.id).where(schema.run.c.branch == name).limit(1)
        if connection.scalar(there) is None:
            continue
        # an expression has no index: databases would take that of branches, and then sort
        found = connection.execute(runs.where(schema.run.c.branch.concat("") == name).limit(limit)).all()
        if len(found) >= FEWEST:
            return _ids(found)
    newest = connection.execute(runs.limit(_LOOK_BACK)).all()
    if not newest:
        return ()
    counts = Counter(row.branch for row in reversed(newest))  # oldest first, as is what it gives of equals
    ((line, _runs),) = counts.most_common(1)
    return _ids([row for row in newest if row.branch == line][:limit])


def _ids(rows: Sequence[Row[tuple[str, str | None]]]) -> list[str]:
    return [row.id for row in rows]


def _measured(case_id: str, comparability_class: str) -> Select[tuple[str, str | None]]:
    """Runs without changes that measured a case on a class of machine, newest first.

    The index of runs by time is walked with a look into that of results, as in `history`.
    """
    has_the_case = (
        select(schema.result.c.id)
        .where(schema.result.c.case_id == case_id, schema.result.c.run_id == schema.run.c.id)
        .correlate(schema.run)
        .exists()
    )
    return (
        select(schema.run.c.id, schema.run.c.branch)
        .join(schema.machine, schema.machine.c.fingerprint == schema.run.c.machine_fingerprint)
        .where(schema.machine.c.comparability_class.concat("") == comparability_class)
        .where(or_(schema.run.c.dirty.is_(False), schema.run.c.dirty.is_(None)))  # without a commit nobody knows
        .where(has_the_case)
        .order_by(schema.run.c.started_at.desc(), schema.run.c.id.desc())
    )


def _results(case_id: str, run_ids: Sequence[str]) -> Select[tuple[str, str, str | None, str | None, str, int]]:
    median_ns = func.coalesce(schema.measurement.c.candidate_median_ns, schema.timing.c.median_ns)
    run = schema.run.c
    return (
        select(
            run.id,
            run.started_at,
            run.commit_sha,
            run.commit_unknown,
            run.machine_fingerprint,
            median_ns.label("median_ns"),
        )
        .join_from(schema.result, schema.run, run.id == schema.result.c.run_id)
        .outerjoin(schema.measurement, schema.measurement.c.result_id == schema.result.c.id)
        .outerjoin(schema.timing, schema.timing.c.result_id == schema.result.c.id)
        .where(schema.result.c.case_id == case_id)
        .where(schema.result.c.run_id.in_(run_ids))
        .where(median_ns > 0)
        .order_by(schema.result.c.id)
    )


def _fixed_from(connection: Connection, known: Sequence[Alert]) -> Mapping[str, AlertState]:
    """Of alerts whose last change of state was that a look called them fixed, the state before."""
    fixed = [alert.id for alert in known if alert.state is AlertState.FIXED]
    query = select(schema.alert_event).where(schema.alert_event.c.alert_id.in_(fixed)).order_by(schema.alert_event.c.id)
    found: dict[str, AlertState] = {}
    for row in connection.execute(query).mappings() if fixed else ():
        event = event_from(columns_of(schema.alert_event, row))
        before = next((one for name, one, _other in event.changes if name == "state"), "")
        if before and event.kind is EventKind.RECOVERED:
            found[event.alert_id] = AlertState(before)
        elif before:
            found.pop(event.alert_id, None)
    return found
