"""The machines that runs were made on: without looking at what was measured."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pytest_xeonperf.records import Limits
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.reading import columns_of
from pytest_xeonperf.store.summaries import MachineSummary

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pytest_xeonperf.records import Machine

_LOOKED_AT = 2000
"""Newest runs whose limits are read."""


def read_machines(connection: Connection) -> tuple[MachineSummary, ...]:
    """Every fingerprint, the one seen last first."""
    of_run = schema.run.c
    counted = select(
        of_run.machine_fingerprint, func.count(), func.min(of_run.started_at), func.max(of_run.started_at)
    ).group_by(of_run.machine_fingerprint)
    tallies = {fingerprint: tally for fingerprint, *tally in connection.execute(counted)}
    newest = _newest(connection)
    limits = _limits(connection)
    found = [
        MachineSummary(
            machine=machine,
            runs=tallies[fingerprint][0],
            first_at=tallies[fingerprint][1],
            last_at=tallies[fingerprint][2],
            newest_run=run_id,
            limits=tuple(limits[fingerprint]),
        )
        for fingerprint, (machine, run_id) in newest.items()
    ]
    return tuple(sorted(found, key=lambda each: (each.last_at, each.machine.fingerprint), reverse=True))


def _newest(connection: Connection) -> dict[str, tuple[Machine, str]]:
    """Each machine as its newest run found it, and that run's id."""
    of_run = schema.run.c
    place = func.row_number().over(
        partition_by=of_run.machine_fingerprint, order_by=(of_run.started_at.desc(), of_run.id.desc())
    )
    ranked = select(of_run.id, place.label("place")).subquery()
    query = (
        select(schema.run, schema.machine)
        .join_from(schema.run, schema.machine)
        .where(of_run.id.in_(select(ranked.c.id).where(ranked.c.place == 1)))
    )
    found = {}
    for row in connection.execute(query).mappings():
        run, machine = columns_of(schema.run, row), columns_of(schema.machine, row)
        found[machine["fingerprint"]] = (from_rows.machine_from(machine, run), run["id"])
    return found


def _limits(connection: Connection) -> defaultdict[str, list[Limits]]:
    """What each machine could do at best, of the newest runs that measured it."""
    of_run = schema.run.c
    columns = (of_run.read_bytes_per_s, of_run.fp32_flop_per_s, of_run.bf16_flop_per_s, of_run.int8_op_per_s)
    query = (
        select(of_run.machine_fingerprint, *columns)
        .where(of_run.read_bytes_per_s.is_not(None))
        .order_by(of_run.started_at.desc())
        .limit(_LOOKED_AT)
    )
    found: defaultdict[str, list[Limits]] = defaultdict(list)
    for fingerprint, *figures in connection.execute(query):
        names = (column.name for column in columns)
        found[fingerprint].append(Limits(**dict(zip(names, figures, strict=True))))
    return found
