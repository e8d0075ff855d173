"""What is accepted when an alert is expected: the first slow run, which the case is compared with from then on.

An alert on a change point names that run. A gate measured in rounds of its own, so that of its alert is the first run
of its head without changes, on its class of machine, that measured the case; if there is none yet, it is accepted when
a look at the case finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from pytest_xeonperf.alerts import AlertSource, AlertState
from pytest_xeonperf.records import Acceptance, Unknown
from pytest_xeonperf.store import schema
from pytest_xeonperf.store.alerts import read_alerts, read_events
from pytest_xeonperf.store.reading import has_run
from pytest_xeonperf.store.writing import insert_acceptance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from pytest_xeonperf.alerts import Alert

_ALL = 10_000


def rebase(connection: Connection, before: Alert, after: Alert, *, by: str, at: str) -> None:
    """Accept what became expected, and take back what this alert accepted where it no longer is."""
    if before.state is after.state:
        return
    if after.state is AlertState.EXPECTED:
        _accept(connection, after, by=by, at=at)
    elif before.state is AlertState.EXPECTED:
        for run_id in _accepted_by(connection, after):
            _take_back(connection, after, run_id)


def due(connection: Connection, known: Sequence[Alert]) -> tuple[Alert, ...]:
    """Those alerts of gates that are expected and whose run has come, and is not accepted yet."""
    expected = [each for each in known if each.source is AlertSource.GATE and each.state is AlertState.EXPECTED]
    return tuple(each for each in expected if _is_due(connection, each))


def accept_due(connection: Connection, case_id: str, comparability_class: str) -> None:
    """Accept the runs that have come for a case's alerts which are expected; whoever calls this has taken the turns."""
    for alert in due(connection, _expected(connection, case_id, comparability_class)):
        word = next(
            event
            for event in reversed(read_events(connection, alert.id))
            if any(name == "state" and after == AlertState.EXPECTED.value for name, _before, after in event.changes)
        )
        _accept(connection, alert, by=word.by, at=word.at)


def _is_due(connection: Connection, alert: Alert) -> bool:
    run_id = _first_slow_run(connection, alert)
    if isinstance(run_id, Unknown) or _accepted_by(connection, alert):
        return False
    acceptance = schema.acceptance.c
    by_others = select(acceptance.run_id).where(acceptance.case_id == alert.case.id, acceptance.run_id == run_id)
    return connection.scalar(by_others) is None


def _accept(connection: Connection, alert: Alert, *, by: str, at: str) -> None:
    run_id = _first_slow_run(connection, alert)
    if not isinstance(run_id, Unknown):
        word = Acceptance(case=alert.case, run_id=run_id, accepted_at=at, accepted_by=by, reason=_reason(alert))
        insert_acceptance(connection, word)


def _take_back(connection: Connection, alert: Alert, run_id: str) -> None:
    """Let what an alert accepted be that of another one on the same run which is still expected; else of nobody.

    There is one acceptance of a case in a run, however many of its alerts are expected.
    """
    acceptance = schema.acceptance.c
    that = (acceptance.case_id == alert.case.id) & (acceptance.run_id == run_id)
    others = _expected(connection, alert.case.id, alert.comparability_class)
    heirs = [each for each in others if each.id != alert.id and _first_slow_run(connection, each) == run_id]
    if heirs:
        connection.execute(update(schema.acceptance).where(that).values(reason=_reason(heirs[0])))
    else:
        connection.execute(delete(schema.acceptance).where(that))


def _expected(connection: Connection, case_id: str, comparability_class: str) -> tuple[Alert, ...]:
    return read_alerts(
        connection,
        states=[AlertState.EXPECTED],
        case_id=case_id,
        comparability_class=comparability_class,
        limit=_ALL,
    )


def _accepted_by(connection: Connection, alert: Alert) -> Sequence[str]:
    """The runs that an alert made accepted."""
    acceptance = schema.acceptance.c
    return connection.scalars(
        select(acceptance.run_id).where(
            acceptance.case_id == alert.case.id, acceptance.reason.endswith(_mark(alert), autoescape=True)
        )
    ).all()


def _first_slow_run(connection: Connection, alert: Alert) -> str | Unknown:
    """The id of the run that an alert tells of, if it is in the history."""
    if not isinstance(alert.run_id, Unknown):
        return alert.run_id if has_run(connection, alert.run_id) else Unknown(reason="the run is not here")
    if isinstance(alert.sha_after, Unknown):
        return alert.sha_after
    run, result = schema.run.c, schema.result.c
    query = (
        select(run.id)
        .join_from(schema.run, schema.machine, schema.machine.c.fingerprint == run.machine_fingerprint)
        .join(schema.result, result.run_id == run.id)
        .where(run.commit_sha == alert.sha_after, run.dirty.is_(False))
        .where(schema.machine.c.comparability_class == alert.comparability_class)
        .where(result.case_id == alert.case.id, result.measurement_unknown.is_(None))
        .order_by(run.started_at, run.id)
        .limit(1)
    )
    found: str | None = connection.scalar(query)
    return Unknown(reason="no run of that commit has measured the case") if found is None else found


def _reason(alert: Alert) -> str:
    return f"{alert.note or 'expected'} {_mark(alert)}"


def _mark(alert: Alert) -> str:
    """What the reason of an acceptance ends with that this alert has made."""
    return f"(alert {alert.id})"
