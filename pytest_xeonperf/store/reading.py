"""What comes out of the history: whole runs, their results, and the cases there are."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import RunState, Unknown
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.summaries import CommitSummary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping, Table

    from pytest_xeonperf.records import Case, Result, Run, Sample


def read_run(connection: Connection, run_id: str) -> Run:
    """The run with all its results.

    Raises:
        UsageError: There is none of that id.
    """
    query = (
        select(schema.run, schema.machine, schema.commit)
        .join_from(schema.run, schema.machine)
        .outerjoin(schema.commit)
        .where(schema.run.c.id == run_id)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise UsageError(f"there is no run {run_id}", remedy="`xeonperf show latest` shows the newest one")
    run, machine, commit = (columns_of(table, row) for table in (schema.run, schema.machine, schema.commit))
    return from_rows.run_from(run, machine, commit, read_results(connection, run_id))


def has_run(connection: Connection, run_id: str) -> bool:
    """Whether there is a run of that id."""
    return bool(connection.scalar(select(exists().where(schema.run.c.id == run_id))))


def read_results(connection: Connection, run_id: str, case_id: str = "") -> tuple[Result, ...]:
    """The results of a run in the order in which they were committed, of one case where given; none without a run."""
    tables = (schema.result, schema.case, schema.verdict, schema.measurement, schema.timing)
    query = (
        select(*tables)
        .join_from(schema.result, schema.case)
        .join(schema.verdict, schema.verdict.c.result_id == schema.result.c.id)
        .outerjoin(schema.measurement, schema.measurement.c.result_id == schema.result.c.id)
        .outerjoin(schema.timing, schema.timing.c.result_id == schema.result.c.id)
        .where(schema.result.c.run_id == run_id)
        .order_by(schema.result.c.id)
    )
    if case_id:
        query = query.where(schema.result.c.case_id == case_id)
    samples = _samples(connection, run_id, case_id)
    results = []
    for row in connection.execute(query).mappings():
        result, of_case, verdict, measurement, timing = (columns_of(table, row) for table in tables)
        case = from_rows.case_from(of_case)
        measured = from_rows.measured_from(result, case, measurement, timing, samples.get(result["id"], ()))
        results.append(from_rows.result_from(result, case, verdict, measured))
    return tuple(results)


def read_cases(connection: Connection) -> tuple[Case, ...]:
    """Every case that has a result, by workload, phase, preset and variant."""
    columns = schema.case.c
    order = (columns.workload, columns.phase, columns.preset, columns.variant, columns.over, columns.metric)
    measured = exists().where(schema.result.c.case_id == columns.id)  # a gate may have brought others
    query = select(schema.case).where(measured).order_by(*order)
    return tuple(from_rows.case_from(columns_of(schema.case, row)) for row in connection.execute(query).mappings())


def read_commits(connection: Connection, shas: Sequence[str]) -> dict[str, CommitSummary]:
    """By sha, what is known of commits."""
    query = select(schema.commit).where(schema.commit.c.sha.in_(shas))
    return {
        row["sha"]: CommitSummary(
            committed_at=row["committed_at"],
            subject=row["subject"],
            author=from_rows.known(dict(row), "author", "author_unknown"),
        )
        for row in connection.execute(query).mappings()
    }


def read_unfinished(connection: Connection, commit_sha: str, comparability_class: str) -> Run | Unknown:
    """The newest run that was interrupted or killed; an empty string stands for any commit or class."""
    query = (
        select(schema.run.c.id)
        .join_from(schema.run, schema.machine)
        .where(schema.run.c.state.in_([RunState.RUNNING.value, RunState.INTERRUPTED.value]))
        .order_by(schema.run.c.started_at.desc(), schema.run.c.id.desc())
        .limit(1)
    )
    if commit_sha:
        query = query.where(schema.run.c.commit_sha == commit_sha)
    if comparability_class:
        query = query.where(schema.machine.c.comparability_class == comparability_class)
    run_id = connection.scalar(query)
    if run_id is None:
        return Unknown(reason="no unfinished run in this history")
    return read_run(connection, run_id)


def columns_of(table: Table, row: RowMapping) -> dict[str, Any]:
    """The columns of one table out of a joined row, by their names."""
    return {column.name: row[column] for column in table.columns}


def _samples(connection: Connection, run_id: str, case_id: str) -> dict[int, tuple[Sample, ...]]:
    """The samples of every result of a run, of one case where given, in one query."""
    query = (
        select(schema.sample)
        .join(schema.result)
        .where(schema.result.c.run_id == run_id)
        .order_by(schema.sample.c.result_id, schema.sample.c.position)
    )
    if case_id:
        query = query.where(schema.result.c.case_id == case_id)
    rows = connection.execute(query).mappings()
    return {
        result_id: tuple(from_rows.sample_from(columns_of(schema.sample, row)) for row in group)
        for result_id, group in groupby(rows, key=lambda row: row[schema.sample.c.result_id])
    }
