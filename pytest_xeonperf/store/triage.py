"""What people make of alerts, and what that does to the baseline of a case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from pytest_xeonperf.alerts import OPEN_STATES, AlertEvent, AlertSource, AlertState, EventKind
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store import schema
from pytest_xeonperf.store.alerts import note, put, read_alert, read_alerts, take_turns
from pytest_xeonperf.store.rebasing import rebase

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from pytest_xeonperf.alerts import Alert, Triage
    from pytest_xeonperf.records import Acceptance

_ALL = 10_000


class OvertakenError(DataError):
    """Somebody else has decided meanwhile, which whoever decides now has not seen."""


def triage(
    connection: Connection, alert_id: str, change: Triage, *, by: str, at: str, seen: Mapping[str, str]
) -> Alert:
    """Do what somebody decided; the alert as it is then.

    Expected means that the case is as it shall be in the run of the alert: that is accepted, and no longer if somebody
    takes it back.

    Args:
        connection: Of a transaction.
        alert_id: Of the alert.
        change: What is decided.
        by: Who decides.
        at: The time now, UTC ISO-8601.
        seen: State, assignee or address of the issue as whoever decides has seen it, where that matters.

    Raises:
        UsageError: There is no such alert.
        OvertakenError: What is to be changed is no longer as it was seen.
    """
    there = read_alert(connection, alert_id)
    take_turns(connection, there.case.id, there.comparability_class)
    before = read_alert(connection, alert_id)
    for name, was in seen.items():
        now = str(getattr(before, name))
        if now != was:
            what = name.removesuffix("_url")
            raise OvertakenError(f"somebody has changed it since this page was loaded: {what} is {now or 'empty'} now")
    after = replace(
        before,
        state=before.state if isinstance(change.state, Unknown) else change.state,
        assignee=_told(change.assignee, before.assignee),
        note=_told(change.note, before.note),
        issue_url=_told(change.issue_url, before.issue_url),
    )
    if after == before:
        return before
    pairs = (
        ("state", before.state.value, after.state.value),
        ("assignee", before.assignee, after.assignee),
        ("issue", before.issue_url, after.issue_url),
    )
    put(connection, after)
    note(
        connection,
        AlertEvent(
            alert_id=alert_id,
            kind=EventKind.TRIAGED,
            by=by,
            at=at,
            changes=tuple((name, one, other) for name, one, other in pairs if one != other),
            note="" if after.note == before.note else after.note,
        ),
    )
    rebase(connection, before, after, by=by, at=at)
    return after


def take_turns_of(connection: Connection, acceptances: Sequence[Acceptance]) -> None:
    """Wait for whoever is at the alerts of what is accepted, before anything is written.

    Everybody else waits first and writes then, one case at a time: who did it the other way round, or for several cases
    in an order of his own, might wait for somebody who waits for him.
    """
    found = {(each.case.id, machine) for each in acceptances for _, machine in _of_run(connection, each)}
    for case_id, machine in sorted(found):
        take_turns(connection, case_id, machine)


def expect(connection: Connection, acceptance: Acceptance) -> None:
    """Let open alerts be expected that tell of levels which somebody's word on a later run covers.

    Whoever calls this has taken the turns.
    """
    started_at, machine = _of_run(connection, acceptance)[0]
    known = read_alerts(
        connection, states=OPEN_STATES, case_id=acceptance.case.id, comparability_class=machine, limit=_ALL
    )
    for alert in known:
        if alert.source is AlertSource.CHANGE_POINT and alert.since <= started_at:
            after = replace(alert, state=AlertState.EXPECTED)
            put(connection, after)
            note(
                connection,
                AlertEvent(
                    alert_id=alert.id,
                    kind=EventKind.TRIAGED,
                    by=acceptance.accepted_by,
                    at=acceptance.accepted_at,
                    changes=(("state", alert.state.value, after.state.value),),
                    note=acceptance.reason,
                ),
            )


def _of_run(connection: Connection, acceptance: Acceptance) -> list[tuple[str, str]]:
    """When the run that is accepted started, and its class of machine; nothing if there is no such run."""
    query = (
        select(schema.run.c.started_at, schema.machine.c.comparability_class)
        .join_from(schema.run, schema.machine)
        .where(schema.run.c.id == acceptance.run_id)
    )
    return [(started_at, machine) for started_at, machine in connection.execute(query)]


def _told(said: str | Unknown, before: str) -> str:
    return before if isinstance(said, Unknown) else said
