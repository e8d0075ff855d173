"""What cases came to in earlier runs, of many cases at once: what a comparison takes of a point, and no more."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pytest_xeonperf.records import TIMED_ALONE, Estimate, Outcome, Unknown
from pytest_xeonperf.store import schema
from pytest_xeonperf.store.batches import batches
from pytest_xeonperf.store.history import newest_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

    from pytest_xeonperf.judge.runs import Session
    from pytest_xeonperf.records import Machine

_SOUND = frozenset(each.value for each in (Outcome.PASS, Outcome.BELOW_FLOOR, Outcome.INCONCLUSIVE))
"""What was wrong in an earlier run says nothing of its speed."""


def read_sessions(
    connection: Connection, case_ids: Sequence[str], *, machine: Machine, limit: int, before: str
) -> dict[str, tuple[Session, ...]]:
    """By case its sessions in the newest runs that have it, oldest first; of two results in a run the first counts.

    Most cases are read at once from the newest runs; one that is not in all of these costs a query.

    Args:
        connection: Of the history.
        case_ids: Of the cases; each is in the answer.
        machine: Of the run that is judged: sessions are of its class, and alike if they have its fingerprint.
        limit: Sessions of a case at most.
        before: When that run began.
    """
    of_class = machine.comparability_class
    newest = newest_runs(connection, limit=limit, comparability_class=of_class, before=before)
    found = _by_case(connection, newest, machine)
    sessions = {}
    for case_id in case_ids:
        of_case = found.get(case_id, {})
        run_ids = newest
        if len(of_case) < limit <= len(newest):
            run_ids = newest_runs(connection, case_id, limit=limit, comparability_class=of_class, before=before)
            of_case = _by_case(connection, run_ids, machine, case_id).get(case_id, {})
        sessions[case_id] = tuple(of_case[run_id] for run_id in reversed(run_ids) if run_id in of_case)
    return sessions


def _by_case(
    connection: Connection, run_ids: Sequence[str], machine: Machine, case_id: str = ""
) -> dict[str, dict[str, Session]]:
    """By case, by run; an empty id stands for all cases."""
    run, result, verdict, measurement = schema.run.c, schema.result.c, schema.verdict.c, schema.measurement.c
    query = (
        select(result.case_id, result.run_id, run.machine_fingerprint, result.measurement_unknown)
        .add_columns(verdict.outcome, verdict.floor_ratio, verdict.floor_unknown)
        .add_columns(measurement.speedup_ratio, measurement.low_ratio, measurement.high_ratio, measurement.confidence)
        .join_from(schema.result, schema.run, run.id == result.run_id)
        .join(schema.verdict, verdict.result_id == result.id)
        .outerjoin(schema.measurement, measurement.result_id == result.id)
        .order_by(result.id)
    )
    if case_id:
        query = query.where(result.case_id == case_id)
    found: defaultdict[str, dict[str, Session]] = defaultdict(dict)
    for some in batches(run_ids):
        for row in connection.execute(query.where(result.run_id.in_(some))):
            found[row[0]].setdefault(row[1], _session(row, machine))  # the first one is what runs are compared by
    return found


def _session(row: Row[Any], machine: Machine) -> Session:
    from pytest_xeonperf.judge.runs import Session  # brings NumPy, which a session that measures goes without

    told: tuple[Any, ...] = tuple(row)
    fingerprint, unmeasured, outcome, floor, no_floor, ratio, low, high, confidence = told[2:]
    speedup: Estimate | Unknown = TIMED_ALONE
    if outcome not in _SOUND:
        speedup = Unknown(reason=outcome)
    elif unmeasured is not None:
        speedup = Unknown(reason=unmeasured)
    elif ratio is not None:
        speedup = Estimate(ratio=ratio, low_ratio=low, high_ratio=high, confidence=confidence)
    return Session(
        floor_ratio=Unknown(reason=no_floor) if floor is None else floor,
        speedup=speedup,
        alike=fingerprint == machine.fingerprint,
    )
