"""What was measured last: of each case the newest point on each class of machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pytest_xeonperf.store import from_rows, history, schema

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pytest_xeonperf.records import Case
    from pytest_xeonperf.store.summaries import TrendPoint


def read_latest(connection: Connection, *, branch: str, case_id: str) -> tuple[tuple[Case, TrendPoint], ...]:
    """Newest points, by case and class of machine; an empty string stands for any branch, or every case."""
    result, run, machine = schema.result.c, schema.run.c, schema.machine.c
    place = func.row_number().over(
        partition_by=(result.case_id, machine.comparability_class), order_by=(run.started_at.desc(), result.id.desc())
    )
    ranked = (
        select(result.id, place.label("place"))
        .join_from(schema.result, schema.run, run.id == result.run_id)
        .join(schema.machine, machine.fingerprint == run.machine_fingerprint)
    )
    if branch:
        ranked = ranked.where(run.branch == branch)
    if case_id:
        ranked = ranked.where(result.case_id == case_id)
    newest = ranked.subquery()
    query = (
        history.points()
        .add_columns(*schema.case.c)
        .join(schema.case, schema.case.c.id == result.case_id)
        .join(schema.machine, machine.fingerprint == run.machine_fingerprint)
        .where(result.id.in_(select(newest.c.id).where(newest.c.place == 1)))
        .order_by(result.case_id, machine.comparability_class)
    )
    rows = connection.execute(query).all()
    names = [column.name for column in schema.case.c]
    cases = [from_rows.case_from(dict(zip(names, row[-len(names) :], strict=True))) for row in rows]
    return tuple(zip(cases, history.made(connection, [history.parts_of(row) for row in rows]), strict=True))
