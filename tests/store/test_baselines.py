"""What a run is compared with, out of the history."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.records import Acceptance, RunState, Unknown
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.identity import new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """An empty history that can be written, in each kind of database."""
    with open_store(database) as opened:
        yield opened


@pytest.fixture
def at(make_run: Callable[..., Run]) -> Callable[..., Run]:
    """Makes a run of a commit, on a day of September."""

    def make(sha: str, day: int, *, dirty: bool = False, threads: int = 2, **changes: object) -> Run:
        run = make_run(id=new_run_id(), started_at=f"2026-09-{day:02}T10:00:00+00:00", **changes)
        return replace(
            run, commit=replace(run.commit, sha=sha * 40, dirty=dirty), machine=replace(run.machine, threads=threads)
        )

    return make


def case_ids(run: Run) -> list[str]:
    """Of the cases of a run."""
    return [result.case.id for result in run.results]


def test_a_run_of_other_cases_is_no_baseline(store: Store, at: Callable[..., Run]) -> None:
    full, partial = at("a", 1), at("a", 5)
    store.add_run(full)
    store.add_run(replace(partial, results=full.results[1:]))
    machine = full.machine.comparability_class
    for case_id, expected in zip(case_ids(full), (full.id, partial.id), strict=True):
        assert store.baseline(["a" * 40], comparability_class=machine, case_ids=[case_id]) == expected
    assert isinstance(store.baseline(["a" * 40], comparability_class=machine, case_ids=["none"]), Unknown)


def test_the_nearest_commit_with_a_run_gives_its_newest(store: Store, at: Callable[..., Run]) -> None:
    old, first, second, newest = at("a", 9), at("b", 2), at("b", 5), at("c", 8)
    for run in (old, second, first, newest):
        store.add_run(run)
    machine, cases = first.machine.comparability_class, case_ids(first)
    assert store.baseline(["d" * 40, "b" * 40, "a" * 40], comparability_class=machine, case_ids=cases) == second.id
    assert store.baseline(["a" * 40, "b" * 40], comparability_class=machine, case_ids=cases) == old.id


def test_runs_that_cannot_be_compared_are_no_baseline(store: Store, at: Callable[..., Run]) -> None:
    for run in (at("a", 1, dirty=True), at("b", 2, threads=8), at("c", 3, state=RunState.INTERRUPTED)):
        store.add_run(run)
    machine, cases = at("a", 1).machine.comparability_class, case_ids(at("a", 1))
    found = store.baseline([letter * 40 for letter in "abc"], comparability_class=machine, case_ids=cases)
    assert isinstance(found, Unknown)
    assert store.baseline([], comparability_class=machine, case_ids=cases) == found


def test_a_long_line_of_commits_is_searched_to_its_end(store: Store, at: Callable[..., Run]) -> None:
    run = at("a", 1)
    store.add_run(run)
    cases = case_ids(run)
    line = [f"{number:040}" for number in range(1200)] + ["a" * 40]
    assert store.baseline(line, comparability_class=run.machine.comparability_class, case_ids=cases) == run.id


def test_a_word_on_a_result_is_kept_once_and_found_on_its_class_of_machine(
    store: Store, at: Callable[..., Run]
) -> None:
    early, late, elsewhere = at("a", 1), at("b", 5), at("c", 3, threads=8)
    for run in (early, late, elsewhere):
        store.add_run(run)
    case = early.results[0].case
    words = [
        Acceptance(
            case=case,
            run_id=run.id,
            accepted_at="2026-09-07T10:00:00+00:00",
            accepted_by="Ann <b>",
            reason="scales stay in FP32",
        )
        for run in (late, early, elsewhere)
    ]
    assert store.accept(words) == 3
    assert store.accept([replace(words[0], reason="twice")]) == 0
    machine = early.machine.comparability_class
    assert store.acceptances(machine, until="2026-09-30") == (words[1], words[0])
    assert store.acceptances(machine, until=early.started_at) == (words[1],)
    assert store.acceptances("another class", until="2026-09-30") == ()


def test_the_run_before_one_is_the_newest_of_its_class_that_measured_a_case_of_it(
    store: Store, at: Callable[..., Run]
) -> None:
    old, crashed, elsewhere, newest, later = at("a", 1), at("b", 2), at("c", 3, threads=1), at("d", 4), at("e", 5)
    nothing = Unknown(reason="died")
    crashed = replace(crashed, results=tuple(replace(each, measurement=nothing) for each in crashed.results))
    for run in (old, crashed, elsewhere, newest, later):
        store.add_run(run)
    assert store.earlier(newest) == old.id
    assert store.earlier(later) == newest.id
    assert store.earlier(replace(later, results=later.results[:1])) == newest.id
    for lonely in (old, elsewhere, crashed):
        assert isinstance(store.earlier(lonely), Unknown)
