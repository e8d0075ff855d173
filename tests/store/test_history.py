"""Lists of runs, and the series of a case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.records import TIMED_ALONE, Outcome, RunState, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Machine, Result, Run
    from pytest_xeonperf.store.repository import Store


@pytest.fixture
def other_machine(make_run: Callable[..., Run]) -> Machine:
    return replace(make_run().machine, threads=1)


@pytest.fixture
def history(
    store: Store, make_run: Callable[..., Run], make_result: Callable[..., Result], other_machine: Machine
) -> Store:
    """Three days: measured, crashed without a commit, and measured on another machine."""
    crashed = make_result(outcome=Outcome.CRASHED)
    crashed = replace(
        crashed,
        measurement=Unknown(reason="died of SIGILL"),
        verdict=replace(crashed.verdict, floor_ratio=Unknown(reason="none for this ISA")),
    )
    unversioned = Unknown(reason="not a repository")
    days = (
        {"results": (make_result(ratio=3.0), make_result(variant="eager_bf16"))},
        {"results": (crashed,), "commit": unversioned, "state": RunState.INTERRUPTED},
        {"results": (make_result(ratio=3.2),), "machine": other_machine},
    )
    for number, changes in enumerate(days):
        store.add_run(make_run(id=f"day{number}", started_at=f"2026-09-0{number + 1}T10:00:00+00:00", **changes))
    return store


def test_the_newest_run_comes_first_with_its_verdicts_counted(history: Store) -> None:
    newest, crashed, oldest = history.runs()
    assert [newest.id, crashed.id, oldest.id] == ["day2", "day1", "day0"]
    assert oldest.outcomes == ((Outcome.PASS, 2),)
    assert crashed.outcomes == ((Outcome.CRASHED, 1),)
    assert crashed.sha == crashed.branch == Unknown(reason="not a repository")
    assert crashed.state is RunState.INTERRUPTED
    assert oldest.branch == "main"
    assert dict(oldest.facts)["torch"] == "2.13.0"


def test_runs_can_be_narrowed_down(history: Store, other_machine: Machine) -> None:
    assert [run.id for run in history.runs(1)] == ["day2"]
    assert [run.id for run in history.runs(branch="main")] == ["day2", "day0"]
    assert [run.id for run in history.runs(comparability_class=other_machine.comparability_class)] == ["day2"]
    assert history.runs(branch="nobody's") == ()


def test_the_trend_of_a_case_goes_from_old_to_new_and_keeps_its_gaps(
    history: Store, make_result: Callable[..., Result]
) -> None:
    first, gap, last = history.trend(make_result().case.id)
    assert (first.speedup.ratio, last.speedup.ratio) == (3.0, 3.2)
    assert (first.baseline_median_ns, first.candidate_median_ns, first.floor_ratio) == (30_000_000, 10_000_000, 2.91)
    assert (first.subject, first.branch, first.author) == ("Faster", "main", "Ann")
    unmeasured = Unknown(reason="died of SIGILL")
    assert gap.speedup == gap.candidate_median_ns == gap.baseline_median_ns == unmeasured
    assert gap.outcome is Outcome.CRASHED
    assert gap.sha == gap.subject == gap.author == Unknown(reason="not a repository")
    assert gap.floor_ratio == Unknown(reason="none for this ISA")
    assert dict(last.facts)["torch"] == "2.13.0"


def test_a_trend_can_be_cut_to_its_newest_points_or_to_one_class(
    history: Store, make_result: Callable[..., Result], other_machine: Machine
) -> None:
    case_id = make_result().case.id
    assert [point.run_id for point in history.trend(case_id, limit=2)] == ["day1", "day2"]
    of_class = history.trend(case_id, comparability_class=other_machine.comparability_class)
    assert [point.run_id for point in of_class] == ["day2"]
    assert history.trend("no such case") == ()


def test_every_case_with_a_result_is_listed_once(history: Store) -> None:
    assert [case.variant for case in history.cases()] == ["compiled_bf16", "eager_bf16"]


def test_the_trend_of_what_is_timed_alone_has_latencies_and_no_gaps(
    store: Store, make_run: Callable[..., Run], timed: Result
) -> None:
    store.add_run(make_run(results=(timed,)))
    (point,) = store.trend(timed.case.id)
    assert (point.candidate_median_ns, point.gap) == (1_250_000, "")
    assert point.speedup == point.baseline_median_ns == TIMED_ALONE


def test_the_newest_points_are_those_of_the_newest_runs_whatever_the_order_they_came_in(
    store: Store, make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    days = [f"2026-09-{day:02}T10:00:00+00:00" for day in (3, 1, 4, 2, 5)]
    twice = (make_result(), make_result(node_id="another test of the case"))
    for day in days:
        store.add_run(make_run(id=day, started_at=day, results=twice if "09-04" in day else twice[:1]))
    case_id = twice[0].case.id
    assert [point.run_id for point in store.trend(case_id)] == sorted([*days, days[2]])
    assert [point.run_id for point in store.trend(case_id, limit=3)] == [days[2], days[2], days[4]]
    assert [point.run_id for point in store.trend(case_id, limit=2)] == [days[2], days[4]]
    assert [point.run_id for point in store.trend(case_id, limit=2, before=days[0])] == [days[1], days[3]]


def test_more_points_than_go_into_one_query_stay_in_order(
    store: Store, make_run: Callable[..., Run], make_result: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_xeonperf.store.batches._AT_ONCE", 2)
    result = make_result()
    for number in range(5):
        store.add_run(
            make_run(id=f"run{number}", started_at=f"2026-09-0{1 + number // 2}T10:00:00+00:00", results=(result,))
        )
    assert [point.run_id for point in store.trend(result.case.id)] == [f"run{number}" for number in range(5)]


def test_the_first_points_from_a_time_on_are_those_of_one_class_oldest_first(history: Store) -> None:
    machine = history.runs()[-1].comparability_class
    for case in (each.id for each in history.cases()):
        whole = history.trend(case, comparability_class=machine)
        for at, limit in (("2026-09-01T10:00:00+00:00", 9), ("2026-09-01T10:00:00+00:00", 1), ("2026-09-02", 9)):
            wanted = tuple(point for point in whole if point.started_at >= at)[:limit]
            assert history.since(case, comparability_class=machine, limit=limit, since=at) == wanted
