"""Whole histories of points, as fast as a database gives them: what the points of a run share is read once."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import and_, func, select

from pytest_xeonperf.records import TIMED_ALONE, Estimate, Outcome, RunState, Unknown
from pytest_xeonperf.store import schema
from pytest_xeonperf.store.batches import batches
from pytest_xeonperf.store.from_rows import pairs
from pytest_xeonperf.store.summaries import Extent, RunMark, TrendPoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row, Select

_OUTCOMES = {each.value: each for each in Outcome}


class Numbered(NamedTuple):
    """A point with the place of its run among the marks, and the number of its result; they sort as a trend does."""

    place: int
    result_id: int
    point: TrendPoint


def read_state(connection: Connection) -> str:
    """A digest of how far the history reaches: of every run that is not finished, its columns and results; else counts.

    A finished run does not change any more, and one that is brought whole comes with its results. Whatever is done to
    an alert is an event.
    """
    run, result, event = schema.run.c, schema.result.c, schema.alert_event.c
    going = connection.execute(select(schema.run).where(run.state != RunState.FINISHED.value).order_by(run.id)).all()
    ids = [row[0] for row in going]
    counted = select(result.run_id, func.count()).where(result.run_id.in_(ids)).group_by(result.run_id)
    parts = [
        connection.execute(select(func.count(), func.max(run.started_at), func.max(run.finished_at))).all(),
        connection.execute(select(func.max(result.id))).all(),
        connection.execute(select(func.count()).select_from(schema.acceptance)).all(),
        connection.execute(select(func.count(), func.max(event.id))).all(),
        going,
        connection.execute(counted.order_by(result.run_id)).all() if ids else [],
    ]
    return _digest(parts)


def read_extent(connection: Connection) -> Extent:
    """How many results there are, and the newest one's number: asked in one, SQLite would look at every result."""
    count = select(func.count()).select_from(schema.result).scalar_subquery()
    newest = select(func.max(schema.result.c.id)).scalar_subquery()
    results, newest_id = connection.execute(select(count, newest)).one()
    return Extent(results=results, newest_id=newest_id or 0)


def read_earlier_extent(connection: Connection, whole: Extent, until: int) -> Extent:
    """What the extent is without the results numbered above `until`: those that remain are many, and not counted."""
    result = schema.result.c
    later = connection.scalar(select(func.count()).where(result.id > until, result.id <= whole.newest_id))
    newest = connection.scalar(select(func.max(result.id)).where(result.id <= until))
    return Extent(results=whole.results - (later or 0), newest_id=newest or 0)


def read_new_runs(connection: Connection, *, after: int) -> frozenset[str]:
    """Ids of the runs all of whose results are numbered above `after`."""
    run, result = schema.run.c, schema.result.c
    touched = sorted(set(connection.scalars(select(result.run_id).where(result.id > after))))
    known = select(result.id).where(result.run_id == run.id, result.id <= after).exists()
    new: set[str] = set()
    for some in batches(touched):
        new.update(connection.scalars(select(run.id).where(run.id.in_(some), ~known)))
    return frozenset(new)


def read_marks(connection: Connection, *, until: int) -> tuple[RunMark, ...]:
    """Every run that has a result numbered up to `until`, oldest first."""
    run, machine, commit = schema.run.c, schema.machine.c, schema.commit.c
    result = schema.result.c
    has_result = select(result.id).where(result.run_id == run.id, result.id <= until).exists()
    query = (
        select(run.id, run.started_at, run.commit_sha, run.commit_unknown, run.branch, commit.subject)
        .add_columns(commit.author, commit.author_unknown, machine.comparability_class, machine.fingerprint)
        .join_from(schema.run, schema.machine)
        .outerjoin(schema.commit)
        .where(has_result)
        .order_by(run.started_at, run.id)
    )
    machines = connection.execute(select(machine.fingerprint, machine.facts))
    facts = {fingerprint: pairs(listed) for fingerprint, listed in machines}
    return tuple(_mark(row, facts) for row in connection.execute(query).all())


def _mark(row: Row[Any], facts: Mapping[str, tuple[tuple[str, str], ...]]) -> RunMark:
    told: tuple[Any, ...] = tuple(row)
    run_id, started_at, sha, no_commit, branch, subject, author, no_author, comparability_class, fingerprint = told
    uncommitted = Unknown(reason=no_commit or "")
    unnamed = uncommitted if subject is None else Unknown(reason=no_author or "")
    return RunMark(
        run_id=run_id,
        started_at=started_at,
        sha=uncommitted if sha is None else sha,
        branch=uncommitted if branch is None else branch,
        subject=uncommitted if subject is None else subject,
        author=unnamed if subject is None or author is None else author,
        comparability_class=comparability_class,
        fingerprint=fingerprint,
        facts=facts[fingerprint],
    )


def read_versions(connection: Connection, run_ids: Sequence[str]) -> dict[str, str]:
    """By run, a digest of its columns and of how many results it has: results and what they refer to never change."""
    run, result = schema.run.c, schema.result.c
    rows = connection.execute(select(schema.run).where(run.id.in_(run_ids))).all()
    counted = select(result.run_id, func.count(), func.max(result.id)).where(result.run_id.in_(run_ids))
    counts = {row[0]: tuple(row) for row in connection.execute(counted.group_by(result.run_id))}
    return {row.id: _digest([tuple(row), counts.get(row.id, ())]) for row in rows}


def read_points(
    connection: Connection, marks: Sequence[RunMark], *, case_id: str = "", after: int = 0, until: int
) -> dict[str, list[Numbered]]:
    """By case, the points of the results numbered above `after` up to `until`, oldest first; of one case where given.

    Points of runs that are not among the marks are left out.
    """
    result = schema.result.c
    query = _points().where(result.id > after, result.id <= until)
    if case_id:
        query = query.where(result.case_id == case_id)
    return _by_case(connection, query, {mark.run_id: (place, mark) for place, mark in enumerate(marks)})


def read_in_runs(
    connection: Connection, marks: Sequence[RunMark], places: Sequence[int], until: int, case_id: str = ""
) -> dict[str, list[Numbered]]:
    """By case, the points of the results up to `until` in some runs, oldest first; of one case where given."""
    of_run = {marks[place].run_id: (place, marks[place]) for place in places}
    query = _points().where(schema.result.c.run_id.in_(list(of_run)), schema.result.c.id <= until)
    if case_id:
        query = query.where(schema.result.c.case_id == case_id)
    return _by_case(connection, query, of_run) if of_run else {}


def _points() -> Select[Any]:
    result, verdict, measurement = schema.result.c, schema.verdict.c, schema.measurement.c
    return (
        select(result.id, result.case_id, result.run_id, result.measured_at, result.measurement_unknown)
        .add_columns(verdict.outcome, verdict.reason, verdict.floor_ratio, verdict.floor_unknown)
        .add_columns(measurement.speedup_ratio, measurement.low_ratio, measurement.high_ratio, measurement.confidence)
        .add_columns(measurement.baseline_median_ns, measurement.candidate_median_ns, schema.timing.c.median_ns)
        .join_from(schema.result, schema.verdict, verdict.result_id == result.id)
        .outerjoin(schema.measurement, measurement.result_id == result.id)
        .outerjoin(schema.timing, and_(schema.timing.c.result_id == result.id, measurement.result_id.is_(None)))
    )


def _by_case(
    connection: Connection, query: Select[Any], places: dict[str, tuple[int, RunMark]]
) -> dict[str, list[Numbered]]:
    found: defaultdict[str, list[Numbered]] = defaultdict(list)
    for row in connection.execute(query):
        placed = places.get(row[2])
        if placed is not None:
            place, mark = placed
            found[row[1]].append(Numbered(place, row[0], _point(row, mark)))
    for points in found.values():
        points.sort(key=lambda numbered: numbered[:2])
    return dict(found)


def _point(row: Row[Any], mark: RunMark) -> TrendPoint:
    told: tuple[Any, ...] = tuple(row)
    measured_at, unmeasured, outcome, reason, floor, no_floor = told[3:9]
    ratio, low, high, confidence, baseline_ns, candidate_ns, timed_ns = told[9:]
    speedup: Estimate | Unknown = TIMED_ALONE
    baseline: int | Unknown = TIMED_ALONE
    candidate: int | Unknown = timed_ns
    if unmeasured is not None:
        speedup = baseline = candidate = Unknown(reason=unmeasured)
    elif timed_ns is None:
        speedup = Estimate(ratio=ratio, low_ratio=low, high_ratio=high, confidence=confidence)
        baseline, candidate = baseline_ns, candidate_ns
    return TrendPoint(
        run_id=mark.run_id,
        started_at=mark.started_at,
        measured_at=measured_at,
        sha=mark.sha,
        branch=mark.branch,
        subject=mark.subject,
        author=mark.author,
        speedup=speedup,
        baseline_median_ns=baseline,
        candidate_median_ns=candidate,
        outcome=_OUTCOMES[outcome],
        reason=reason,
        floor_ratio=Unknown(reason=no_floor) if floor is None else floor,
        comparability_class=mark.comparability_class,
        fingerprint=mark.fingerprint,
        facts=mark.facts,
    )


def _digest(parts: object) -> str:
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]
