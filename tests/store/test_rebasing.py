"""What is accepted when a gate's alert is expected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.alerts import Alert, AlertSource, AlertState, Direction, Triage, change_point_id
from pytest_xeonperf.ci.alerts import watch_all
from pytest_xeonperf.judge.alerts import Findings
from pytest_xeonperf.records import Acceptance, Unknown
from pytest_xeonperf.store.identity import new_run_id
from pytest_xeonperf.store.repository import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Run

HEAD = "b" * 40
NOW, LATER = "2026-09-30T10:00:00+00:00", "2026-09-30T11:00:00+00:00"
NO_RUN = Unknown(reason="a gate's rounds are no run of the history")


@pytest.fixture
def of_head(make_run: Callable[..., Run]) -> Callable[..., Run]:
    """Makes a run of the gate's head, on a day of September."""

    def make(day: int, **changes: object) -> Run:
        run = make_run(id=new_run_id(), started_at=f"2026-09-{day:02}T10:00:00+00:00")
        return replace(run, **{"commit": replace(run.commit, sha=HEAD), **changes})

    return make


@pytest.fixture
def gates(store: Store, make_run: Callable[..., Run]) -> Alert:
    """An alert that a gate raised."""
    run = make_run()
    alert = Alert(
        id="3f9a1c0b77de",
        case=run.results[0].case,
        comparability_class=run.machine.comparability_class,
        source=AlertSource.GATE,
        direction=Direction.SLOWER,
        latency_ratio=1.1,
        speed=Unknown(reason="none"),
        before_ns=10_000_000,
        after_ns=11_000_000,
        run_id=NO_RUN,
        fingerprint=NO_RUN,
        since=NOW,
        sha_before="a" * 40,
        sha_after=HEAD,
        raised_at=NOW,
    )
    return _raised(store, alert)


def _raised(store: Store, alert: Alert) -> Alert:
    store.raise_alerts(alert.case, alert.comparability_class, lambda _known: Findings(raised=(alert,)))
    return alert


def _say(store: Store, alert: Alert, state: AlertState, by: str = "Ann") -> None:
    store.triage(alert.id, Triage(state=state), by=by, at=LATER)


def _accepted(store: Store, alert: Alert) -> list[tuple[str, str]]:
    words = store.acceptances(alert.comparability_class, until="2026-12-01T00:00:00+00:00")
    return [(word.run_id, word.accepted_by) for word in words]


def test_the_first_run_of_the_head_is_accepted_and_no_longer_when_it_is_taken_back(
    store: Store, gates: Alert, of_head: Callable[..., Run]
) -> None:
    first = of_head(5)
    elsewhere = replace(first.machine, threads=1)
    uncommitted = replace(first.commit, dirty=True)
    others = [
        of_head(1, machine=elsewhere),
        of_head(2, commit=uncommitted),
        of_head(3, results=first.results[1:]),
        of_head(4, results=(replace(first.results[0], measurement=Unknown(reason="it crashed")),)),
        of_head(6),
    ]
    for run in (*others, first):
        store.add_run(run)
    _say(store, gates, AlertState.EXPECTED)
    assert _accepted(store, gates) == [(first.id, "Ann")]
    _say(store, gates, AlertState.NEW, by="Bob")
    assert _accepted(store, gates) == []


def test_a_run_of_the_head_that_comes_later_is_accepted_by_the_next_look(
    store: Store, gates: Alert, of_head: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    _say(store, gates, AlertState.EXPECTED)
    assert _accepted(store, gates) == []
    run = of_head(20)
    store.add_run(run)
    watch_all(store, at=NOW)
    (word,) = store.acceptances(gates.comparability_class, until=NOW)
    assert (word.run_id, word.accepted_by, word.accepted_at) == (run.id, "Ann", LATER)
    store.add_run(of_head(19))
    monkeypatch.setattr(Store, "accept_due", lambda *_: pytest.fail("there is nothing to write"))
    watch_all(store, at=NOW)
    assert _accepted(store, gates) == [(run.id, "Ann")]
    _say(store, gates, AlertState.INVALID)
    assert _accepted(store, gates) == []
    watch_all(store, at=NOW)
    assert _accepted(store, gates) == []


def test_what_others_accepted_is_neither_accepted_again_nor_taken_back(
    store: Store, gates: Alert, of_head: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = of_head(20)
    store.add_run(run)
    store.accept([Acceptance(case=gates.case, run_id=run.id, accepted_at=NOW, accepted_by="Eve", reason="so")])
    monkeypatch.setattr(Store, "accept_due", lambda *_: pytest.fail("there is nothing to write"))
    for state in (AlertState.EXPECTED, AlertState.NEW):
        _say(store, gates, state)
        watch_all(store, at=NOW)
        assert _accepted(store, gates) == [(run.id, "Eve")]


@pytest.mark.parametrize("gate_first", [True, False])
def test_an_alert_of_the_history_on_the_same_run_inherits_what_a_gate_s_accepted_and_the_other_way_round(
    store: Store, gates: Alert, of_head: Callable[..., Run], *, gate_first: bool
) -> None:
    run = of_head(20)
    store.add_run(run)
    other = replace(
        gates,
        id=change_point_id(gates.case, gates.comparability_class, run.id, 0),
        source=AlertSource.CHANGE_POINT,
        run_id=run.id,
        fingerprint=run.machine.fingerprint,
    )
    _raised(store, other)
    both = (gates, other) if gate_first else (other, gates)
    for alert in both:
        _say(store, alert, AlertState.EXPECTED)
    _say(store, both[0], AlertState.NEW)
    assert _accepted(store, gates) == [(run.id, "Ann")]
    _say(store, both[1], AlertState.NEW)
    assert _accepted(store, gates) == []
