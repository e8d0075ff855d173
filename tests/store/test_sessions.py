"""What many cases came to before, read at once: the same as from the whole trend of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.judge.runs import Session
from pytest_xeonperf.records import TIMED_ALONE, Estimate, Outcome, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Case, Machine, Result, Run
    from pytest_xeonperf.store.repository import Store

DAYS = 6


@pytest.fixture
def filled(
    store: Store,
    make_run: Callable[..., Run],
    make_result: Callable[..., Result],
    timed: Result,
) -> Store:
    """Days of one case that is always there, one that is there twice, one now and then, and one on another machine."""
    for day in range(DAYS):
        results = [make_result(ratio=2 + day / 10), make_result(variant="eager_bf16", ratio=1.5)]
        results.append(make_result(node_id="the same case", variant="eager_bf16", ratio=1.6))
        if day in {0, 4}:
            results.append(timed)
        if day == 1:
            crashed = make_result(outcome=Outcome.CRASHED, variant="woq_int8")
            results.append(replace(crashed, measurement=Unknown(reason="died of SIGILL")))
        run = make_run(id=f"day{day}", started_at=f"2026-09-0{day + 1}T10:00:00+00:00", results=tuple(results))
        store.add_run(run if day != 3 else replace(run, machine=replace(run.machine, threads=1)))
    return store


def expected(store: Store, case: Case, machine: Machine, *, limit: int, before: str) -> tuple[Session, ...]:
    """One session a run, from its first point."""
    points = store.trend(case.id, comparability_class=machine.comparability_class, before=before)
    one_a_run = {point.run_id: point for point in reversed(points)}
    return tuple(
        Session(
            floor_ratio=point.floor_ratio,
            speedup=Unknown(reason="CRASHED") if point.outcome is Outcome.CRASHED else point.speedup,
            alike=point.fingerprint == machine.fingerprint,
        )
        for point in [*reversed(one_a_run.values())][-limit:]
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
@pytest.mark.parametrize("at_once", [2, 500])
def test_the_sessions_of_many_cases_are_those_of_the_trend_of_each(
    filled: Store, limit: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_xeonperf.store.batches._AT_ONCE", at_once)
    machine = filled.run("day5").machine
    elsewhere = replace(machine, facts=(("kernel", "another one"),))
    cases = filled.cases()
    assert len(cases) == 4
    for before in ("2026-09-02T10:00:00+00:00", "2026-09-06T10:00:00+00:00", "2026-09-09T10:00:00+00:00"):
        for judged_on in (machine, elsewhere):
            found = filled.sessions(
                [*(case.id for case in cases), "nobody's"], machine=judged_on, limit=limit, before=before
            )
            assert found.pop("nobody's") == ()
            assert found == {case.id: expected(filled, case, judged_on, limit=limit, before=before) for case in cases}


def test_a_session_is_the_first_result_of_its_run_and_says_why_there_is_no_speed_up(
    filled: Store, timed: Result, make_result: Callable[..., Result]
) -> None:
    machine = filled.run("day5").machine
    twice, crashed = make_result(variant="eager_bf16").case, make_result(variant="woq_int8").case
    found = filled.sessions([twice.id, crashed.id, timed.case.id], machine=machine, limit=9, before="2026-10")
    ratios = [session.speedup.ratio for session in found[twice.id] if isinstance(session.speedup, Estimate)]
    assert ratios == pytest.approx([1.5] * (DAYS - 1))
    assert [session.speedup for session in found[crashed.id]] == [Unknown(reason="CRASHED")]
    assert [session.speedup for session in found[timed.case.id]] == [TIMED_ALONE] * 2
