"""What goes into the history: inserts that may be repeated, and the few updates of a run that is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import Commit, Measurement, Run, RunState, Timing, Unknown
from pytest_xeonperf.store import schema, to_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from pytest_xeonperf.records import Acceptance, Case, Limits, Machine, Result


def insert_run(connection: Connection, run: Run) -> bool:
    """Add a run without its results; whether it was new."""
    _insert_if_new(connection, schema.machine, to_rows.machine_row(run.machine))
    if isinstance(run.commit, Commit):
        _insert_if_new(connection, schema.commit, to_rows.commit_row(run.commit))
    return _insert_if_new(connection, schema.run, to_rows.run_row(run))


def insert_cases(connection: Connection, run: Run) -> None:
    """Add the cases of a run, in one order for all: two that add the same ones must not wait for each other."""
    for row in sorted((to_rows.case_row(result.case) for result in run.results), key=lambda row: str(row["id"])):
        _insert_if_new(connection, schema.case, row)


def insert_case(connection: Connection, case: Case) -> None:
    """Add a case that may have no result here, as that of a gate."""
    _insert_if_new(connection, schema.case, to_rows.case_row(case))


def insert_result(connection: Connection, run_id: str, result: Result) -> bool:
    """Add a result with its case, its verdict and what was measured; whether it was new.

    Raises:
        DataError: There is no such run, or the measurement is of another case.
    """
    measurement = result.measurement
    if isinstance(measurement, Measurement) and measurement.case != result.case:
        raise DataError(f"a measurement of {measurement.case.label} was handed in", where=result.case.label)
    if not connection.scalar(select(exists().where(schema.run.c.id == run_id))):
        raise _no_run(run_id)
    _insert_if_new(connection, schema.case, to_rows.case_row(result.case))
    adding = _or_leave(connection, schema.result).values(to_rows.result_row(run_id, result))
    result_id = connection.scalar(adding.returning(schema.result.c.id))
    if result_id is None:
        return False
    connection.execute(insert(schema.verdict), to_rows.verdict_row(result_id, result.verdict))
    if isinstance(measurement, Measurement):
        connection.execute(insert(schema.measurement), to_rows.measurement_row(result_id, measurement))
        if measurement.samples:
            connection.execute(insert(schema.sample), to_rows.sample_rows(result_id, measurement.samples))
    elif isinstance(measurement, Timing):
        connection.execute(insert(schema.timing), to_rows.timing_row(result_id, measurement))
    return True


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


def _or_leave(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that leaves a row alone whose key is there; both dialects have it, SQLAlchemy's core has not."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
