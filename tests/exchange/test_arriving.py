"""Runs from elsewhere: what was taken can be shown, compared and found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange.arriving import require_presentable
from pytest_xeonperf.records import Estimate, Operator, RunState, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Run

NOW = datetime(2026, 9, 2, tzinfo=UTC)


@pytest.fixture
def run(make_run: Callable[..., Run]) -> Run:
    """A run in order."""
    return make_run(id="01990000-0000-7000-8000-000000000000")


def with_operators(run: Run, *operators: Operator) -> Run:
    """The run, its first measurement having these operators."""
    evidence = run.results[0].measurement.evidence
    return with_measurement(run, evidence=replace(evidence, operators=operators))


@pytest.mark.parametrize(
    "operators",
    [
        [Operator(name=f"op{number}", self_ns=1, calls=1) for number in range(101)],
        [Operator(name="ü" * 501, self_ns=1, calls=1)],
        [Operator(name="mm", self_ns=-1, calls=1)],
        [Operator(name="mm", self_ns=1, calls=-1)],
    ],
    ids=["many", "long", "negative time", "negative calls"],
)
def test_operators_that_nobody_could_have_kept_are_refused(run: Run, operators: list[Operator]) -> None:
    with pytest.raises(DataError, match=r"operators") as caught:
        require_presentable(with_operators(run, *operators), now=NOW)
    assert caught.value.where == "run.results[0].measurement.evidence.operators"


def test_operators_as_many_and_as_long_as_may_be_pass(run: Run) -> None:
    names = [f"{number:03}{'x' * 997}" for number in range(100)]
    require_presentable(with_operators(run, *(Operator(name=name, self_ns=0, calls=0) for name in names)), now=NOW)


@pytest.mark.parametrize("author", ["half \ud800", "nothing \0", "x" * 70_000])
def test_an_author_that_could_not_be_shown_is_refused(run: Run, author: str) -> None:
    with pytest.raises(DataError) as caught:
        require_presentable(replace(run, commit=replace(run.commit, author=author)), now=NOW)
    assert caught.value.where == "run.commit.author"


def with_measurement(run: Run, **changes: object) -> Run:
    """The run, its first measurement changed."""
    first = run.results[0]
    return replace(run, results=(replace(first, measurement=replace(first.measurement, **changes)),))


def test_a_run_in_order_passes(run: Run) -> None:
    require_presentable(run, now=NOW)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"id": "main"}, "run.id"),
        ({"id": "../../etc"}, "run.id"),
        ({"id": "01990000000070008000000000000000"}, "run.id"),
        ({"state": RunState.RUNNING}, "run.state"),
        ({"started_at": "yesterday"}, "run.started_at"),
        ({"started_at": "2026-09-01T10:00:00"}, "run.started_at"),
        ({"started_at": "2026-09-01T10:00:00+02:00"}, "run.started_at"),
        ({"started_at": "9999-12-31T23:59:59-12:00"}, "run.started_at"),
        ({"started_at": "2027-01-01T10:00:00+00:00"}, "run.started_at"),
        ({"finished_at": Unknown(reason="still running")}, "run.finished_at"),
        ({"command": "half \ud800"}, "run.command"),
        ({"command": "nothing \0"}, "run.command"),
        ({"options": (("a", "b\ud800"),)}, "run.options[0][1]"),
    ],
)
def test_what_could_not_be_shown_or_found_is_refused_with_its_place(
    run: Run, changes: dict[str, object], where: str
) -> None:
    with pytest.raises(DataError) as caught:
        require_presentable(replace(run, **changes), now=NOW)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"items_per_call": 0}, "measurement"),
        ({"samples": ()}, "measurement"),
        ({"baseline_median_ns": 2**70}, "measurement.baseline_median_ns"),
        ({"speedup": Estimate(ratio=1.0, low_ratio=2.0, high_ratio=3.0, confidence=0.95)}, "measurement.speedup"),
        ({"speedup": Estimate(ratio=0.0, low_ratio=0.0, high_ratio=3.0, confidence=0.95)}, "measurement.speedup"),
    ],
)
def test_figures_that_cannot_be_are_refused(run: Run, changes: dict[str, object], where: str) -> None:
    with pytest.raises(DataError) as caught:
        require_presentable(with_measurement(run, **changes), now=NOW)
    assert caught.value.where == f"run.results[0].{where}"


@pytest.mark.parametrize("duration_ns", [0, -1])
def test_a_duration_is_positive(run: Run, duration_ns: int) -> None:
    samples = run.results[0].measurement.samples
    broken = with_measurement(run, samples=(replace(samples[0], candidate_ns=duration_ns), *samples[1:]))
    with pytest.raises(DataError, match="durations are positive"):
        require_presentable(broken, now=NOW)


def test_a_seed_may_be_as_large_as_it_likes(run: Run) -> None:
    require_presentable(with_measurement(run, seed=2**64 + 1), now=NOW)
