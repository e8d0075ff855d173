"""What was measured last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Result, Run
    from pytest_xeonperf.store.repository import Store


@pytest.fixture
def history(store: Store, make_run: Callable[..., Run], make_result: Callable[..., Result], timed: Result) -> Store:
    """Two days on one machine, the second on a branch, and an older run on another machine."""
    main = make_run().commit
    days = (
        {"results": (make_result(ratio=9.0),), "machine": replace(make_run().machine, threads=1)},
        {"results": (make_result(ratio=3.0), make_result(variant="eager_bf16", ratio=1.5), timed)},
        {
            "results": (make_result(ratio=3.1, node_id="a"), make_result(ratio=3.2, node_id="b")),
            "commit": replace(main, sha="ab" * 20, branch="feature"),
        },
    )
    for number, changes in enumerate(days):
        store.add_run(make_run(id=f"day{number}", started_at=f"2026-09-0{number + 1}T10:00:00+00:00", **changes))
    return store


def _found(store: Store, **narrowed: str) -> set[tuple[str, str]]:
    return {(case.variant, point.run_id) for case, point in store.latest(**narrowed)}


def test_each_case_has_its_newest_point_on_each_class_of_machine(history: Store) -> None:
    assert _found(history) == {
        ("compiled_bf16", "day0"), ("compiled_bf16", "day2"), ("eager_bf16", "day1"), ("fft", "day1"),
    }  # fmt: skip
    assert len(history.latest()) == 4


def test_of_two_results_of_a_case_in_one_run_the_later_counts(history: Store) -> None:
    (ratio,) = (point.speedup.ratio for case, point in history.latest() if point.run_id == "day2")
    assert ratio == 3.2


def test_points_are_those_of_the_trend(history: Store) -> None:
    for case, point in history.latest():
        trend = history.trend(case.id, comparability_class=point.comparability_class)
        assert trend[-1] == point


def test_one_branch_or_one_case_can_be_asked_for(history: Store) -> None:
    assert _found(history, branch="feature") == {("compiled_bf16", "day2")}
    assert _found(history, branch="nobody's") == set()
    eager = next(case.id for case, _ in history.latest() if case.variant == "eager_bf16")
    assert _found(history, case_id=eager) == {("eager_bf16", "day1")}


def test_a_case_that_the_newest_runs_do_not_have_is_found(
    history: Store, make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    for number in range(30):
        result = make_result(variant="eager_bf16", ratio=2.0)
        started_at = f"2026-09-10T{number // 2:02}:{30 * (number % 2):02}:00+00:00"
        history.add_run(make_run(id=f"later{number}", started_at=started_at, results=(result,)))
    assert _found(history) == {
        ("compiled_bf16", "day0"), ("compiled_bf16", "day2"), ("eager_bf16", "later29"), ("fft", "day1"),
    }  # fmt: skip
