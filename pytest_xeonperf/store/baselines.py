"""What a run is compared with: the nearest earlier commit on the same class of machine, or what somebody accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from pytest_xeonperf.records import Acceptance, RunState, Unknown
from pytest_xeonperf.store import from_rows, schema
from pytest_xeonperf.store.batches import batches
from pytest_xeonperf.store.reading import columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def find_baseline(
    connection: Connection, shas: Sequence[str], comparability_class: str, case_ids: Sequence[str]
) -> str | Unknown:
    """The newest finished run of the first of these commits that has one without changes, and can be compared.

    Args:
        connection: Of the history.
        shas: Commits, the nearest first.
        comparability_class: Of the machine.
        case_ids: Cases of which it measured one at least.
    """
    measured = schema.result.c
    in_common = select(measured.run_id).where(measured.case_id.in_(case_ids), measured.measurement_unknown.is_(None))
    for some in batches(shas):
        query = (
            select(schema.run.c.commit_sha, schema.run.c.id)
            .join_from(schema.run, schema.machine)
            .where(schema.run.c.commit_sha.in_(some))
            .where(schema.machine.c.comparability_class == comparability_class)
            .where(schema.run.c.state == RunState.FINISHED.value)
            .where(schema.run.c.dirty.is_(False))
            .where(schema.run.c.id.in_(in_common))
            .order_by(schema.run.c.started_at, schema.run.c.id)
        )
        newest = {row.commit_sha: row.id for row in connection.execute(query)}  # the last of a commit stays
        found = next((newest[sha] for sha in some if sha in newest), "")
        if found:
            return found
    return Unknown(reason="no earlier commit has a finished run of these cases on this class of machine")


def find_earlier(
    connection: Connection, comparability_class: str, case_ids: Sequence[str], *, before: str
) -> str | Unknown:
    """The newest run on a class of machine that began before a time and measured one of these cases, of any commit."""
    run, result = schema.run.c, schema.result.c
    measured = result.case_id.in_(case_ids) & result.measurement_unknown.is_(None)
    query = (
        select(run.id)
        .join_from(schema.run, schema.machine)
        .where(schema.machine.c.comparability_class == comparability_class)
        .where(run.started_at < before)
        .where(select(result.id).where(result.run_id == run.id, measured).correlate(schema.run).exists())
        .order_by(run.started_at.desc(), run.id.desc())
        .limit(1)
    )
    found = connection.scalar(query)
    return found or Unknown(reason="no earlier run on its class of machine measured any of its cases")


def read_acceptances(connection: Connection, comparability_class: str, *, until: str) -> tuple[Acceptance, ...]:
    """What was accepted on a class of machine in runs that started no later than `until`, by the runs' order."""
    query = (
        select(schema.acceptance, schema.case)
        .join_from(schema.acceptance, schema.case)
        .join(schema.run, schema.run.c.id == schema.acceptance.c.run_id)
        .join(schema.machine, schema.machine.c.fingerprint == schema.run.c.machine_fingerprint)
        .where(schema.machine.c.comparability_class == comparability_class)
        .where(schema.run.c.started_at <= until)
        .order_by(schema.run.c.started_at, schema.run.c.id)
    )
    return tuple(
        Acceptance(
            case=from_rows.case_from(columns_of(schema.case, row)),
            run_id=row[schema.acceptance.c.run_id],
            accepted_at=row[schema.acceptance.c.accepted_at],
            accepted_by=row[schema.acceptance.c.accepted_by],
            reason=row[schema.acceptance.c.reason],
        )
        for row in connection.execute(query).mappings()
    )
