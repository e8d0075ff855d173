"""Many runs at once: the list of runs, and the series of a case."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Isa, Outcome, RunState, Unknown
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.batches import batches
from pytest_xeonperf.store.reading import columns_of
from pytest_xeonperf.store.summaries import RunSummary, TrendPoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import ColumnElement, Connection, Row, RowMapping, Select, Table

_OF_A_POINT: tuple[tuple[Table, tuple[str, ...]], ...] = tuple(
    (table, tuple(names))
    for table, *names in (
        (schema.result, "id", "measured_at", "measurement_unknown"),
        (schema.verdict, "outcome", "reason", "floor_ratio", "floor_unknown"),
        (
            schema.measurement,
            "speedup_ratio",
            "low_ratio",
            "high_ratio",
            "confidence",
            "baseline_median_ns",
            "candidate_median_ns",
        ),
        (schema.timing, "median_ns"),
        (schema.run, "id", "started_at", "commit_sha", "commit_unknown", "branch", "machine_fingerprint"),
        (schema.commit, "subject", "author", "author_unknown"),
    )
)
"""What a point takes, and no more: whole rows hold lists that would be read for nothing."""

_RESULT, RUN = 0, 4
"""Their places in that."""


def read_runs(
    connection: Connection, *, limit: int, branch: str, comparability_class: str, before: str, beyond: str = ""
) -> tuple[RunSummary, ...]:
    """Runs, newest first; an empty string stands for any branch, class or time, or for no run that they are beyond.

    Raises:
        UsageError: There is no such run.
    """
    query = (
        select(schema.run, schema.machine)
        .join_from(schema.run, schema.machine)
        .order_by(schema.run.c.started_at.desc(), schema.run.c.id.desc())
        .limit(limit)
    )
    if branch:
        query = query.where(schema.run.c.branch == branch)
    if comparability_class:
        query = query.where(schema.machine.c.comparability_class == comparability_class)
    if before:
        query = query.where(schema.run.c.started_at < before)
    if beyond:
        query = query.where(_beyond(connection, beyond))
    rows = connection.execute(query).mappings().all()
    outcomes = _outcomes(connection, [row[schema.run.c.id] for row in rows])
    return tuple(_summary(row, outcomes[row[schema.run.c.id]]) for row in rows)


def read_trend(
    connection: Connection, case_id: str, *, limit: int, comparability_class: str, before: str
) -> tuple[TrendPoint, ...]:
    """The newest `limit` points of a case, oldest first; an empty string stands for any class, or any time."""
    run_ids = newest_runs(connection, case_id, limit=limit, comparability_class=comparability_class, before=before)
    return made(connection, _in_runs(connection, case_id, run_ids)[-limit:])


def read_numbered(
    connection: Connection, case_id: str, *, limit: int, comparability_class: str, beyond: tuple[str, int]
) -> tuple[tuple[int, TrendPoint], ...]:
    """The newest `limit` points of a case with their results' numbers, oldest first; any class for an empty string.

    Args:
        connection: Of the history.
        case_id: Of the case.
        limit: Points at most.
        comparability_class: Of machines.
        beyond: Id of a run, and the number of a result in it: they are of older runs, or of that one with a lower
            number. An empty id is of no run.

    Raises:
        UsageError: There is no such run.
    """
    last_run, last_number = beyond
    older = newest_runs(connection, case_id, limit=limit, comparability_class=comparability_class, beyond=last_run)
    found = _in_runs(connection, case_id, [*older, last_run] if last_run else older)
    numbered = zip((parts[_RESULT]["id"] for parts in found), made(connection, found), strict=True)
    kept = [
        (number, point)
        for number, point in numbered
        if (point.run_id != last_run or number < last_number) and comparability_class in {"", point.comparability_class}
    ]
    return tuple(kept[-limit:])


def _in_runs(connection: Connection, case_id: str, run_ids: Sequence[str]) -> list[list[dict[str, Any]]]:
    """The points of a case in runs, taken apart, oldest first."""
    found: list[list[dict[str, Any]]] = []
    for some in batches(run_ids):
        query = points().where(schema.result.c.case_id == case_id).where(schema.result.c.run_id.in_(some))
        found += map(parts_of, connection.execute(query))
    return sorted(found, key=_in_time)


def read_since(
    connection: Connection, case_id: str, *, limit: int, comparability_class: str, since: str
) -> tuple[TrendPoint, ...]:
    """The first `limit` points of a case on a class of machines in runs that began at a time or later, oldest first."""
    run = schema.run.c
    query = _runs_with(case_id, comparability_class).where(run.started_at >= since)
    run_ids = connection.scalars(query.order_by(run.started_at, run.id).limit(limit)).all()
    of_case = points().where(schema.result.c.case_id == case_id, schema.result.c.run_id.in_(run_ids))
    found = [parts_of(row) for row in connection.execute(of_case)]
    found.sort(key=_in_time)
    return made(connection, found[:limit])


def _in_time(parts: list[dict[str, Any]]) -> tuple[str, str, int]:
    return parts[RUN]["started_at"], parts[RUN]["id"], parts[_RESULT]["id"]


def points() -> Select[Any]:
    """The query of every point there is, to be narrowed; `parts_of` takes its rows apart."""
    return (
        select(*(table.c[name] for table, names in _OF_A_POINT for name in names))
        .join_from(schema.result, schema.run, schema.run.c.id == schema.result.c.run_id)
        .join(schema.verdict, schema.verdict.c.result_id == schema.result.c.id)
        .outerjoin(schema.commit, schema.commit.c.sha == schema.run.c.commit_sha)
        .outerjoin(schema.measurement, schema.measurement.c.result_id == schema.result.c.id)
        .outerjoin(schema.timing, schema.timing.c.result_id == schema.result.c.id)
    )


def parts_of(row: Row[Any]) -> list[dict[str, Any]]:
    """Of each table what a point takes of it, by the names of columns; what follows in the row is left."""
    values = iter(row)
    return [dict(zip(names, values, strict=False)) for _, names in _OF_A_POINT]


def made(connection: Connection, found: Sequence[list[dict[str, Any]]]) -> tuple[TrendPoint, ...]:
    """The points of what `parts_of` gave."""
    machines = _machines(connection, {parts[RUN]["machine_fingerprint"] for parts in found})
    return tuple(_point(parts, machines[parts[RUN]["machine_fingerprint"]]) for parts in found)


def newest_runs(
    connection: Connection,
    case_id: str = "",
    *,
    limit: int,
    comparability_class: str = "",
    before: str = "",
    beyond: str = "",
    until: int = 0,
) -> Sequence[str]:
    """The newest runs that have a result of a case, the newest first; an empty string stands for any run, or class.

    With `until`, only results numbered up to it count.

    The index of runs by time is walked until enough have it, with a look into the index of results for each: to read
    and sort all results of a case takes many times as long once there are thousands.
    """
    run = schema.run.c
    query = _runs_with(case_id, comparability_class, until)
    query = query.order_by(run.started_at.desc(), run.id.desc()).limit(limit)
    if before:
        query = query.where(run.started_at < before)
    if beyond:
        query = query.where(_beyond(connection, beyond))
    return connection.scalars(query).all()


def _runs_with(case_id: str, comparability_class: str, until: int = 0) -> Select[Any]:
    """The query of ids of runs that have a result of a case; what is empty stands for no case, any class, or result."""
    query = select(schema.run.c.id)
    if case_id:
        of_case = select(schema.result.c.id).where(
            schema.result.c.case_id == case_id, schema.result.c.run_id == schema.run.c.id
        )
        if until:
            of_case = of_case.where(schema.result.c.id <= until)
        query = query.where(of_case.correlate(schema.run).exists())
    if comparability_class:
        # an expression has no index: SQLite would take that of machines, and then sort
        of_class = schema.machine.c.comparability_class.concat("") == comparability_class
        query = query.join(schema.machine, schema.machine.c.fingerprint == schema.run.c.machine_fingerprint).where(
            of_class
        )
    return query


def _beyond(connection: Connection, run_id: str) -> ColumnElement[bool]:
    """What holds of runs that come after one where the newest is first; of equal times the ids decide.

    The index of runs by time finds where they begin.

    Raises:
        UsageError: There is no such run.
    """
    run = schema.run.c
    started_at = connection.scalar(select(run.started_at).where(run.id == run_id))
    if started_at is None:
        raise UsageError(f"there is no run {run_id[:50]!r}", remedy="say what `older` was in an answer")
    return and_(run.started_at <= started_at, or_(run.started_at < started_at, run.id < run_id))


def _machines(connection: Connection, fingerprints: set[str]) -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """The class and the facts of machines, of which many points have few."""
    machine = schema.machine.c
    query = select(machine.fingerprint, machine.comparability_class, machine.facts).where(
        machine.fingerprint.in_(fingerprints)
    )
    return {
        fingerprint: (of_class, from_rows.pairs(facts)) for fingerprint, of_class, facts in connection.execute(query)
    }


def _outcomes(connection: Connection, run_ids: list[str]) -> defaultdict[str, dict[Outcome, int]]:
    query = (
        select(schema.result.c.run_id, schema.verdict.c.outcome, func.count())
        .join(schema.verdict, schema.verdict.c.result_id == schema.result.c.id)
        .where(schema.result.c.run_id.in_(run_ids))
        .group_by(schema.result.c.run_id, schema.verdict.c.outcome)
    )
    counts: defaultdict[str, dict[Outcome, int]] = defaultdict(dict)
    for run_id, outcome, count in connection.execute(query):
        counts[run_id][Outcome(outcome)] = count
    return counts


def _in_order(counts: dict[Outcome, int]) -> Iterable[tuple[Outcome, int]]:
    return ((outcome, counts[outcome]) for outcome in Outcome if outcome in counts)


def _summary(row: RowMapping, counts: dict[Outcome, int]) -> RunSummary:
    run, machine = columns_of(schema.run, row), columns_of(schema.machine, row)
    return RunSummary(
        id=run["id"],
        state=RunState(run["state"]),
        started_at=run["started_at"],
        finished_at=from_rows.known(run, "finished_at", "finished_unknown"),
        comparability_class=machine["comparability_class"],
        cpu_model=machine["cpu_model"],
        isa=Isa(machine["isa"]),
        facts=from_rows.pairs(machine["facts"]),
        sha=from_rows.known(run, "commit_sha", "commit_unknown"),
        branch=from_rows.known(run, "branch", "commit_unknown"),
        outcomes=tuple(_in_order(counts)),
    )


def _point(parts: list[dict[str, Any]], machine: tuple[str, tuple[tuple[str, str], ...]]) -> TrendPoint:
    result, verdict, measurement, timing, run, commit = parts
    comparability_class, facts = machine
    speedup, baseline_median_ns, candidate_median_ns = from_rows.figures_from(result, measurement, timing)
    uncommitted = Unknown(reason=run["commit_unknown"] or "")
    return TrendPoint(
        run_id=run["id"],
        started_at=run["started_at"],
        measured_at=result["measured_at"],
        sha=from_rows.known(run, "commit_sha", "commit_unknown"),
        branch=from_rows.known(run, "branch", "commit_unknown"),
        subject=uncommitted if commit["subject"] is None else commit["subject"],
        author=uncommitted if commit["subject"] is None else from_rows.known(commit, "author", "author_unknown"),
        speedup=speedup,
        baseline_median_ns=baseline_median_ns,
        candidate_median_ns=candidate_median_ns,
        outcome=Outcome(verdict["outcome"]),
        reason=verdict["reason"],
        floor_ratio=from_rows.known(verdict, "floor_ratio", "floor_unknown"),
        comparability_class=comparability_class,
        fingerprint=run["machine_fingerprint"],
        facts=facts,
    )
