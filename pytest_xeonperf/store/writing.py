"""What goes into the history: inserts that may be repeated, and the few updates of a run that is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, insert, select, update
from sqlalchemy.dialects import sqlite

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import Commit, Measurement, Run, RunState, Timing, Unknown
from pytest_xeonperf.store import schema, to_rows
from pytest_xeonperf.store.columns import storable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Insert, Table

    from pytest_xeonperf.records import Acceptance, Case, Limits, Machine, Result


_AT_ONCE = 10_000
"""Samples that are held as rows: of a large run they would take more memory than the run does."""


def insert_run(connection: Connection, run: Run) -> bool:
    """Add a run without its results; whether it was new."""
    _insert_if_new(connection, schema.machine, to_rows.machine_row(run.machine))
    if isinstance(run.commit, Commit):
        _insert_if_new(connection, schema.commit, to_rows.commit_row(run.commit))
    return _insert_if_new(connection, schema.run, to_rows.run_row(run))


def insert_results(connection: Connection, run: Run) -> None:
    """Add the results of a run that this transaction has begun, table by table: a statement for each costs far more.

    Of several results of one test and case the first counts.

    Raises:
        DataError: A measurement is of another case.
    """
    results: dict[tuple[str, str], Result] = {}
    for result in run.results:
        _require_one_case(result)
        results.setdefault((storable(result.node_id), result.case.id), result)
    if not results:
        return
    # cases in one order for all: two that add the same ones must not wait for each other
    cases = {case.id: case for case in (result.case for result in results.values())}
    connection.execute(
        _or_leave(connection, schema.case), [to_rows.case_row(cases[case_id]) for case_id in sorted(cases)]
    )
    adding = insert(schema.result).returning(schema.result.c.id, sort_by_parameter_order=True)
    rows = [to_rows.result_row(run.id, result) for result in results.values()]
    numbers = connection.scalars(adding, rows).all()
    _insert_findings(connection, list(zip(numbers, results.values(), strict=True)))


def insert_case(connection: Connection, case: Case) -> None:
    """Add a case that may have no result here, as that of a gate."""
    _insert_if_new(connection, schema.case, to_rows.case_row(case))


def insert_result(connection: Connection, run_id: str, result: Result) -> bool:
    """Add a result with its case, its verdict and what was measured; whether it was new.

    Raises:
        DataError: There is no such run, or the measurement is of another case.
    """
    _require_one_case(result)
    if not connection.scalar(select(exists().where(schema.run.c.id == run_id))):
        raise _no_run(run_id)
    _insert_if_new(connection, schema.case, to_rows.case_row(result.case))
    adding = _or_leave(connection, schema.result).values(to_rows.result_row(run_id, result))
    result_id = connection.scalar(adding.returning(schema.result.c.id))
    if result_id is None:
        return False
    _insert_findings(connection, [(result_id, result)])
    return True


def _require_one_case(result: Result) -> None:
    measurement = result.measurement
    if isinstance(measurement, Measurement) and measurement.case != result.case:
        raise DataError(f"a measurement of {measurement.case.label} was handed in", where=result.case.label)


def _insert_findings(connection: Connection, results: Sequence[tuple[int, Result]]) -> None:
    """Add verdicts and what was measured of results that are in the history, by their numbers."""
    rows: dict[Table, list[dict[str, Any]]] = {
        table: [] for table in (schema.verdict, schema.measurement, schema.sample, schema.timing)
    }
    for number, result in results:
        rows[schema.verdict].append(to_rows.verdict_row(number, result.verdict))
        if isinstance(result.measurement, Measurement):
            rows[schema.measurement].append(to_rows.measurement_row(number, result.measurement))
            rows[schema.sample] += to_rows.sample_rows(number, result.measurement.samples)
        elif isinstance(result.measurement, Timing):
            rows[schema.timing].append(to_rows.timing_row(number, result.measurement))
        if len(rows[schema.sample]) >= _AT_ONCE:
            _insert_all(connection, rows)
    _insert_all(connection, rows)


def _insert_all(connection: Connection, rows: dict[Table, list[dict[str, Any]]]) -> None:
    """Add rows, and leave none of them."""
    for table, those in rows.items():
        if those:
            connection.execute(insert(table), those)
            those.clear()


def insert_acceptance(connection: Connection, acceptance: Acceptance) -> bool:
    """Add somebody's word on a result; whether it was new: of several on one result the first stays."""
    row = to_rows.acceptance_row(acceptance)
    return _insert_if_new(connection, schema.acceptance, row)


def update_state(connection: Connection, run_id: str, state: RunState, finished_at: str | Unknown) -> None:
    """Say how far a run got.

    Raises:
        DataError: There is no such run.
    """
    _update_run(connection, run_id, {"state": state.value, **to_rows.finish_columns(finished_at)})


def update_machine(connection: Connection, run_id: str, machine: Machine) -> None:
    """Say on what a run is running, once its measuring child has found out.

    Raises:
        DataError: There is no such run.
    """
    _insert_if_new(connection, schema.machine, to_rows.machine_row(machine))
    _update_run(connection, run_id, to_rows.session_columns(machine))


def update_limits(connection: Connection, run_id: str, limits: Limits | Unknown) -> None:
    """Say what the machine can do at best in this run.

    Raises:
        DataError: There is no such run.
    """
    _update_run(connection, run_id, to_rows.limit_columns(limits))


def _update_run(connection: Connection, run_id: str, columns: dict[str, Any]) -> None:
    if connection.execute(update(schema.run).where(schema.run.c.id == run_id).values(columns)).rowcount == 0:
        raise _no_run(run_id)


def _no_run(run_id: str) -> DataError:
    return DataError(f"there is no run {run_id} in this history", remedy="begin the run before adding to it")


def _insert_if_new(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert unless a row with the same key is there: what was stored first stays."""
    adding = _or_leave(connection, table).values(row).returning(*table.primary_key)
    return connection.execute(adding).one_or_none() is not None


def _or_leave(connection: Connection, table: Table) -> Insert:
    """An insert that leaves a row alone whose key is there; both dialects have it, SQLAlchemy's core has not."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
