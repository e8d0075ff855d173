"""Many runs at once: the list of runs, and the series of a case."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pytest_xeonperf.records import Isa, Outcome, RunState, Unknown
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.reading import columns_of
from pytest_xeonperf.store.summaries import RunSummary, TrendPoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, RowMapping, Select


_OF_A_POINT = (schema.result, schema.verdict, schema.measurement, schema.run, schema.commit, schema.machine)


def read_runs(
    connection: Connection, *, limit: int, branch: str, comparability_class: str, before: str
) -> tuple[RunSummary, ...]:
    """Runs, newest first; an empty string stands for any branch, class or time."""
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
    rows = connection.execute(query).mappings().all()
    outcomes = _outcomes(connection, [row[schema.run.c.id] for row in rows])
    return tuple(_summary(row, outcomes[row[schema.run.c.id]]) for row in rows)


def read_trend(
    connection: Connection, case_id: str, *, limit: int, comparability_class: str, before: str
) -> tuple[TrendPoint, ...]:
    """The newest `limit` points of a case, oldest first; an empty string stands for any class, or any time."""
    query = (
        points()
        .where(schema.result.c.case_id == case_id)
        .order_by(schema.run.c.started_at.desc(), schema.result.c.id.desc())
        .limit(limit)
    )
    if comparability_class:
        query = query.where(schema.machine.c.comparability_class == comparability_class)
    if before:
        query = query.where(schema.run.c.started_at < before)
    newest_first = [point(row) for row in connection.execute(query).mappings()]
    return tuple(reversed(newest_first))


def points() -> Select[Any]:
    """The query of every point there is, to be narrowed; `point` makes one of each row."""
    return (
        select(*_OF_A_POINT, schema.timing.c.median_ns)
        .join_from(schema.result, schema.verdict, schema.verdict.c.result_id == schema.result.c.id)
        .join(schema.run, schema.run.c.id == schema.result.c.run_id)
        .join(schema.machine, schema.machine.c.fingerprint == schema.run.c.machine_fingerprint)
        .outerjoin(schema.commit, schema.commit.c.sha == schema.run.c.commit_sha)
        .outerjoin(schema.measurement, schema.measurement.c.result_id == schema.result.c.id)
        .outerjoin(schema.timing, schema.timing.c.result_id == schema.result.c.id)
    )


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


def point(row: RowMapping) -> TrendPoint:
    """A point from its row."""
    result, verdict, measurement, run, commit, machine = (columns_of(table, row) for table in _OF_A_POINT)
    timing = {"median_ns": row[schema.timing.c.median_ns]}
    speedup, baseline_median_ns, candidate_median_ns = from_rows.figures_from(result, measurement, timing)
    uncommitted = Unknown(reason=run["commit_unknown"] or "")
    return TrendPoint(
        run_id=run["id"],
        started_at=run["started_at"],
        measured_at=result["measured_at"],
        sha=from_rows.known(run, "commit_sha", "commit_unknown"),
        branch=from_rows.known(run, "branch", "commit_unknown"),
        subject=uncommitted if commit["subject"] is None else commit["subject"],
        speedup=speedup,
        baseline_median_ns=baseline_median_ns,
        candidate_median_ns=candidate_median_ns,
        outcome=Outcome(verdict["outcome"]),
        reason=verdict["reason"],
        floor_ratio=from_rows.known(verdict, "floor_ratio", "floor_unknown"),
        comparability_class=machine["comparability_class"],
        fingerprint=machine["fingerprint"],
        facts=from_rows.pairs(machine["facts"]),
    )
