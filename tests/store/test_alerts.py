"""Alerts in the history: raised once, triaged with a history, on each kind of database."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import inspect

from pytest_xeonperf.alerts import (
    Alert,
    AlertSource,
    AlertState,
    Direction,
    EventKind,
    Evidence,
    Triage,
    change_point_id,
)
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.judge.alerts import Findings
from pytest_xeonperf.judge.following import Followed
from pytest_xeonperf.records import Acceptance, Estimate, Measurement, Unknown
from pytest_xeonperf.store import maintenance, schema, triage, writing
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.identity import new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from pytest_xeonperf.records import Result, Run
    from pytest_xeonperf.store.repository import Store

NOW, LATER = "2026-09-30T10:00:00+00:00", "2026-09-30T11:00:00+00:00"


@pytest.fixture
def make_alert(make_run: Callable[..., Run]) -> Callable[..., Alert]:
    """Makes an alert on the first case of a run."""

    def make(run: Run, **changes: object) -> Alert:
        case, machine = run.results[0].case, run.machine
        alert = Alert(
            id=change_point_id(case, machine.comparability_class, run.id, 0),
            case=case,
            comparability_class=machine.comparability_class,
            source=AlertSource.CHANGE_POINT,
            direction=Direction.SLOWER,
            latency_ratio=1.1,
            speed=Unknown(reason="none"),
            before_ns=10_000_000,
            after_ns=11_000_000,
            run_id=run.id,
            fingerprint=machine.fingerprint,
            since=run.started_at,
            sha_before="a" * 40,
            sha_after="b" * 40,
            raised_at=NOW,
            state=AlertState.NEW,
            assignee="",
            note="",
            issue_url="",
            recovered_run_id=Unknown(reason="the latency is not back"),
        )
        return replace(alert, **changes)

    return make


@pytest.fixture
def raised(store: Store, make_run: Callable[..., Run], make_alert: Callable[..., Alert]) -> Alert:
    """An alert in the history, on a run that is in it."""
    run = make_run()
    store.add_run(run)
    alert = make_alert(run)
    _raise(store, alert)
    return alert


def _raise(store: Store, alert: Alert) -> Findings:
    def once(known: tuple[Alert, ...]) -> Findings:
        return Findings() if alert.id in {each.id for each in known} else Findings(raised=(alert,))

    return store.raise_alerts(alert.case, alert.comparability_class, once)


def test_an_alert_is_kept_with_all_it_says_and_that_it_was_raised(store: Store, raised: Alert) -> None:
    assert store.alert(raised.id) == raised
    assert store.alerts() == (raised,)
    (event,) = store.alert_events(raised.id)
    assert (event.kind, event.by, event.at) == (EventKind.RAISED, "change points", NOW)


def test_an_alert_of_a_gate_needs_no_run_and_its_case_is_not_listed_as_measured(
    store: Store, make_run: Callable[..., Run], make_alert: Callable[..., Alert]
) -> None:
    unknown = Unknown(reason="no run")
    speed = Estimate(ratio=0.9, low_ratio=0.88, high_ratio=0.92, confidence=0.95)
    alert = make_alert(make_run(), source=AlertSource.GATE, run_id=unknown, fingerprint=unknown, speed=speed)
    _raise(store, alert)
    assert store.alert(alert.id) == alert
    assert store.cases() == ()
    triaged = store.triage(alert.id, Triage(state=AlertState.EXPECTED), by="Ann", at=LATER)
    assert triaged.state is AlertState.EXPECTED
    assert store.acceptances(alert.comparability_class, until=LATER) == ()


def test_the_same_alert_is_raised_once(store: Store, raised: Alert) -> None:
    assert _raise(store, raised).raised == ()
    assert len(store.alert_events(raised.id)) == 1


def test_alerts_are_found_by_state_case_and_class(store: Store, raised: Alert) -> None:
    assert store.alerts([AlertState.NEW], case_id=raised.case.id, comparability_class=raised.comparability_class)
    assert store.alerts([AlertState.FIXED, AlertState.INVALID]) == ()
    assert store.alerts(case_id="another") == ()
    assert store.alerts(comparability_class="another") == ()
    with pytest.raises(UsageError, match="there is no alert 'nothing'"):
        store.alert("nothing")


def test_what_somebody_decides_is_an_event_with_what_it_was_before(store: Store, raised: Alert) -> None:
    change = Triage(
        state=AlertState.INVESTIGATING, assignee="Ann <b>", note="since the fusion", issue_url="https://x.example/1"
    )
    after = store.triage(raised.id, change, by="Bob", at=LATER)
    assert after == store.alert(raised.id)
    assert (after.state, after.assignee, after.note) == (AlertState.INVESTIGATING, "Ann <b>", "since the fusion")
    event = store.alert_events(raised.id)[-1]
    assert (event.kind, event.by, event.at, event.note) == (EventKind.TRIAGED, "Bob", LATER, "since the fusion")
    assert event.changes == (
        ("state", "new", "investigating"),
        ("assignee", "", "Ann <b>"),
        ("issue", "", "https://x.example/1"),
    )
    store.triage(raised.id, change, by="Bob", at=LATER)
    assert len(store.alert_events(raised.id)) == 2
    assert store.triage(raised.id, Triage(assignee=""), by="Bob", at=LATER).assignee == ""


@pytest.mark.parametrize("state", AlertState)
@pytest.mark.parametrize("following", AlertState)
def test_people_may_go_from_any_state_to_any_other(
    store: Store, raised: Alert, state: AlertState, following: AlertState
) -> None:
    store.triage(raised.id, Triage(state=state), by="Ann", at=LATER)
    assert store.triage(raised.id, Triage(state=following), by="Ann", at=LATER).state is following


def test_what_is_expected_is_the_base_from_then_on_until_it_is_taken_back(store: Store, raised: Alert) -> None:
    machine = raised.comparability_class
    store.triage(raised.id, Triage(state=AlertState.EXPECTED, note="scales in FP32"), by="Ann", at=LATER)
    (word,) = store.acceptances(machine, until=LATER)
    assert (word.case, word.run_id, word.accepted_by, word.accepted_at) == (raised.case, raised.run_id, "Ann", LATER)
    assert word.reason == f"scales in FP32 (alert {raised.id})"
    store.triage(raised.id, Triage(note="still"), by="Ann", at=LATER)
    assert store.acceptances(machine, until=LATER) == (word,)
    store.triage(raised.id, Triage(state=AlertState.NEW), by="Bob", at=LATER)
    assert store.acceptances(machine, until=LATER) == ()


def test_a_later_run_that_is_accepted_makes_open_alerts_of_its_case_expected(
    store: Store, raised: Alert, make_run: Callable[..., Run], make_alert: Callable[..., Alert]
) -> None:
    earlier, later = (make_run(id=new_run_id(), started_at=f"2026-{month}-01T10:00:00+00:00") for month in ("08", "10"))
    other = make_alert(later, case=later.results[1].case, id="another case")
    for run in (earlier, later):
        store.add_run(run)
    _raise(store, other)
    word = Acceptance(case=raised.case, run_id=earlier.id, accepted_at=NOW, accepted_by="Eve", reason="so")
    store.accept([word])
    assert store.alert(raised.id) == raised
    store.accept([replace(word, run_id=later.id)])
    assert store.alert(raised.id).state is AlertState.EXPECTED
    event = store.alert_events(raised.id)[-1]
    assert (event.by, event.note, event.changes) == ("Eve", "so", (("state", "new", "expected"),))
    store.triage(raised.id, Triage(state=AlertState.NEW), by="Ann", at=LATER)
    store.accept([replace(word, run_id=later.id)])
    assert store.alert(raised.id).state is AlertState.NEW
    assert store.alert(other.id) == other


def test_what_others_accepted_is_not_taken_back(store: Store, raised: Alert) -> None:
    word = Acceptance(case=raised.case, run_id=str(raised.run_id), accepted_at=NOW, accepted_by="Eve", reason="so")
    store.accept([word])
    for state in (AlertState.EXPECTED, AlertState.NEW):
        store.triage(raised.id, Triage(state=state), by="Ann", at=LATER)
    assert store.acceptances(raised.comparability_class, until=LATER) == (word,)


def test_an_alert_that_is_followed_is_changed_with_its_events(store: Store, raised: Alert) -> None:
    moved = replace(raised, run_id="another", state=AlertState.FIXED, recovered_run_id="a third")
    (event,) = store.alert_events(raised.id)
    news = Findings(followed=(Followed(alert=moved, events=(replace(event, kind=EventKind.MOVED),)),))
    store.raise_alerts(raised.case, raised.comparability_class, lambda _: news)
    assert store.alert(raised.id) == moved
    assert [each.kind for each in store.alert_events(raised.id)] == [EventKind.RAISED, EventKind.MOVED]


def test_a_series_is_what_was_measured_oldest_first_on_one_class(
    store: Store, make_run: Callable[..., Run], make_result: Callable[..., object]
) -> None:
    runs = [make_run(id=new_run_id(), started_at=f"2026-09-{day:02}T10:00:00+00:00") for day in (3, 1, 2)]
    gap = replace(make_result(), measurement=Unknown(reason="died"))
    elsewhere = make_run(machine=replace(runs[0].machine, threads=8))
    for run in (*runs, make_run(results=(gap,)), elsewhere):
        store.add_run(run)
    case, machine = runs[0].results[0].case, runs[0].machine
    points = store.series(case.id, machine.comparability_class, limit=10)
    assert [point.run_id for point in points] == [runs[1].id, runs[2].id, runs[0].id]
    measured = runs[0].results[0].measurement
    assert isinstance(measured, Measurement)
    assert {point.median_ns for point in points} == {measured.candidate_median_ns}
    assert {point.fingerprint for point in points} == {machine.fingerprint}
    assert len(store.series(case.id, machine.comparability_class, limit=2)) == 2
    assert len(store.series_names()) == 4


@pytest.fixture
def add_runs(
    store: Store, make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> Callable[..., list[Run]]:
    """Adds a run an hour of one case that takes so long each: latency ratio, branch, dirty; "-" for no commit."""

    def add(*runs: tuple[float, str, bool], tests: int = 1) -> list[Run]:
        made = []
        for number, (level, branch, dirty) in enumerate(runs):
            median_ns = round(10_000_000 * level * (1 + 0.002 * (number * 7 % 5 - 2)))
            result = make_result()
            measured = replace(result.measurement, candidate_median_ns=median_ns)
            results = tuple(replace(result, node_id=f"test_{test}", measurement=measured) for test in range(tests))
            commit = replace(make_run().commit, sha=f"{number:040}", branch=branch, dirty=dirty)
            started_at = f"2026-09-{1 + number // 24:02}T{number % 24:02}:00:00+00:00"
            made.append(
                make_run(
                    id=new_run_id(),
                    started_at=started_at,
                    commit=Unknown(reason="no git here") if branch == "-" else commit,
                    results=results,
                )
            )
            store.add_run(made[-1])
        return made

    return add


def _series(store: Store, run: Run) -> list[str]:
    case, machine = run.results[0].case, run.machine.comparability_class
    return [point.run_id for point in store.series(case.id, machine, limit=100)]


def test_several_tests_of_a_case_in_a_run_are_one_point_of_its_series(store: Store, add_runs: Callable) -> None:
    runs = add_runs(*[(1.0, "main", False)] * 8, tests=5)
    assert _series(store, runs[0]) == [run.id for run in runs]


def test_runs_of_uncommitted_changes_are_no_part_of_a_series_and_those_without_a_commit_are_one(
    store: Store, add_runs: Callable
) -> None:
    runs = add_runs(*[(1.0, "main", False), (1.3, "main", True)] * 8)
    assert _series(store, runs[0]) == [run.id for run in runs[::2]]


def test_where_no_commit_is_known_the_runs_are_a_series(store: Store, add_runs: Callable) -> None:
    runs = add_runs(*[(1.0, "-", False)] * 8)
    assert _series(store, runs[0]) == [run.id for run in runs]


@pytest.mark.parametrize("main", ["main", "master"])
def test_the_main_line_is_known_by_its_name_where_it_has_enough_runs(
    store: Store, add_runs: Callable, main: str
) -> None:
    runs = add_runs(*[(1.0, main, False), (1.3, "topic", False), (1.3, "topic", False)] * 6)
    assert _series(store, runs[0]) == [run.id for run in runs[::3]]


def test_else_the_main_line_is_the_branch_of_most_runs_or_the_older_of_two(store: Store, add_runs: Callable) -> None:
    few = [(1.0, "main", False)] * 5
    runs = add_runs(*[(1.0, "trunk", False), (1.3, "topic", False)] * 7, *few)
    assert _series(store, runs[0]) == [run.id for run in runs[:14:2]]


def test_what_is_expected_stays_accepted_until_the_last_alert_on_its_run_is_not(
    store: Store, raised: Alert, make_run: Callable[..., Run]
) -> None:
    machine = raised.comparability_class
    second = replace(raised, id="second")
    _raise(store, second)
    for alert in (raised, second):
        store.triage(alert.id, Triage(state=AlertState.EXPECTED, note=alert.id), by="Ann", at=LATER)
    store.triage(raised.id, Triage(state=AlertState.NEW), by="Bob", at=LATER)
    (word,) = store.acceptances(machine, until=LATER)
    assert word.reason == "second (alert second)"
    store.triage(second.id, Triage(state=AlertState.NEW), by="Bob", at=LATER)
    assert store.acceptances(machine, until=LATER) == ()


def test_all_turns_are_taken_in_order_before_anything_is_accepted(
    store: Store, make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run()
    store.add_run(run)
    told: list[tuple[str, ...]] = []
    insert = writing.insert_acceptance

    def insert_too(connection: Connection, acceptance: Acceptance) -> bool:
        told.append(("insert",))
        return insert(connection, acceptance)

    monkeypatch.setattr(triage, "take_turns", lambda _connection, *names: told.append(names))
    monkeypatch.setattr(writing, "insert_acceptance", insert_too)
    words = [
        Acceptance(case=result.case, run_id=run.id, accepted_at=NOW, accepted_by="Eve", reason="so")
        for result in run.results
    ]
    for order in (words, words[::-1]):
        told.clear()
        store.accept(order)
        names = [(case_id, run.machine.comparability_class) for case_id in sorted(word.case.id for word in words)]
        assert told == [*names, ("insert",), ("insert",)]


def test_a_look_judges_what_is_there_when_its_turn_comes(store: Store, raised: Alert) -> None:
    word = Acceptance(case=raised.case, run_id=str(raised.run_id), accepted_at=NOW, accepted_by="Eve", reason="so")
    store.accept([word])
    seen: list[Evidence] = []

    def judge(evidence: Evidence) -> Findings:
        seen.append(evidence)
        return Findings()

    store.watch(raised.case, raised.comparability_class, judge, limit=10)
    assert seen[0].accepted == {raised.run_id}
    assert [point.run_id for point in seen[0].points] == [raised.run_id]
    assert [alert.id for alert in seen[0].known] == [raised.id]


def test_who_has_called_an_alert_fixed_is_known(store: Store, raised: Alert) -> None:
    def evidence() -> Evidence:
        return store.evidence(raised.case.id, raised.comparability_class, limit=10)

    assert evidence().fixed_from == {}
    fixed = replace(raised, state=AlertState.FIXED, recovered_run_id="another")
    (event,) = store.alert_events(raised.id)
    told = replace(event, kind=EventKind.RECOVERED, changes=(("state", "acknowledged", "fixed"),))
    news = Findings(followed=(Followed(alert=fixed, events=(told,)),))
    store.raise_alerts(raised.case, raised.comparability_class, lambda _: news)
    store.triage(raised.id, Triage(note="good"), by="Ann", at=LATER)
    assert evidence().fixed_from == {raised.id: AlertState.ACKNOWLEDGED}
    for state in (AlertState.NEW, AlertState.FIXED):
        store.triage(raised.id, Triage(state=state), by="Ann", at=LATER)
    assert evidence().fixed_from == {}


RAISING = """
    import sys
    from pytest_xeonperf.judge.alerts import findings
    from pytest_xeonperf.store.engine import open_store

    url, at = sys.argv[1:]
    sys.stdin.readline()
    with open_store(url) as store:
        for case, machine in store.series_names():
            found = store.watch(case, machine, lambda evidence: findings(case, machine, evidence, at=at), limit=300)
            print(len(found.raised))
"""


def test_two_processes_that_see_the_same_slow_down_at_once_raise_one_alert(
    store: Store, migrated: str, make_run: Callable[..., Run], make_result: Callable[..., object]
) -> None:
    result = make_result()
    for day in range(1, 29):
        slow = replace(result.measurement, candidate_median_ns=(10_000_000 if day < 17 else 12_000_000) + day * 1000)
        store.add_run(
            make_run(
                id=new_run_id(),
                started_at=f"2026-09-{day:02}T10:00:00+00:00",
                results=(replace(result, measurement=slow),),
            )
        )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", dedent(RAISING), migrated, at],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for at in (NOW, LATER)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=120)[0].split() for process in processes]
    assert sorted(told) == [["0"], ["1"]]
    (alert,) = store.alerts()
    assert len(store.alert_events(alert.id)) == 1


def test_a_history_from_before_alerts_gets_their_tables_and_can_be_taken_back(
    database: str, make_run: Callable[..., Run], taken_down: Callable
) -> None:
    run = make_run()
    with open_store(database) as store:
        store.add_run(run)
    with taken_down(database, "0005") as connection:
        assert not {"alert", "alert_event"} & set(inspect(connection).get_table_names())
    maintenance.upgrade(database)
    assert maintenance.revision_of(database) == schema.REVISION
    with open_store(database) as store:
        assert store.alerts() == ()
        assert [each.verdict for each in store.run(run.id).results] == [each.verdict for each in run.results]
