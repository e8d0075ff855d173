"""Interleaved rounds: the baseline and every undecided rung once each, in random order, until the evidence is in."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.measure.clock import now_ns, quiet_collector, time_call_ns
from pytest_xeonperf.records import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.measure.canary import Canary
    from pytest_xeonperf.workloads.protocol import Step

BASELINE = ""
"""Name of the baseline within a round: no variant has an empty one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much measuring a ladder may take.

    Attributes:
        min_rounds: Six pairs are the fewest that bound a median at 95 %.
        budget_ns: No new round starts after this much time, once there are `min_rounds`.
    """

    min_rounds: int = 6
    max_rounds: int = 40
    budget_ns: int = 300 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """What came of the rounds: the pairs of each rung, and how many rounds were thrown away."""

    samples: Mapping[str, tuple[Sample, ...]]
    voided: int
    seed: int


@dataclass(slots=True)
class _Book:
    """Pairs so far."""

    samples: dict[str, list[Sample]]
    kept: int = 0
    voided: int = 0
    started_ns: int = field(default_factory=now_ns)

    def may_go_on(self, effort: Effort) -> bool:
        return self.kept < effort.min_rounds or (self.kept < effort.max_rounds and self.has_time(effort))

    def may_void(self, effort: Effort) -> bool:
        return self.voided < effort.max_rounds and self.has_time(effort)

    def has_time(self, effort: Effort) -> bool:
        return now_ns() - self.started_ns < effort.budget_ns


def run_rounds(
    baseline: Step,
    rungs: Mapping[str, Step],
    *,
    effort: Effort,
    seed: int,
    canary: Canary,
    settled: Callable[[str, Mapping[str, Sequence[Sample]]], bool],
    on_turn: Callable[[str], None],
    on_round: Callable[[int, Mapping[str, Sample]], None],
    on_void: Callable[[int], None],
) -> Rounds:
    """Measure every rung in pairs with the baseline.

    A round is voided and redone when the canary before or after it says that the machine was disturbed, never because
    of its own times. When the budget is spent, or as many rounds were voided as could be needed in all, disturbed
    rounds are kept: the machine is then simply like that.

    Args:
        baseline: The step every rung is paired with.
        rungs: Steps by name; one leaves once it is settled and has `Effort.min_rounds` pairs.
        effort: When to stop at the latest.
        seed: Of the order within the rounds.
        canary: Tells whether the machine was disturbed.
        settled: Whether a rung is no longer needed, by its name and the pairs of all rungs.
        on_turn: Called before each timed call with the rung's name, the empty name for the baseline.
        on_round: Called after each kept round with its index and its new pairs.
        on_void: Called with its index after each round that was thrown away.
    """
    order = Random(seed)  # noqa: S311 - a shuffle that can be repeated, not a secret
    book = _Book(samples={name: [] for name in rungs})
    active = dict(rungs)
    with quiet_collector():
        healthy = canary.healthy()
        while active and book.may_go_on(effort):
            index = book.kept + book.voided
            pairs = _one_round(index, {BASELINE: baseline, **active}, order, on_turn)
            healthy_before, healthy = healthy, canary.healthy()
            if not (healthy_before and healthy) and book.may_void(effort):
                book.voided += 1
                on_void(index)
                continue
            book.kept += 1
            for name, pair in pairs.items():
                book.samples[name].append(pair)
            on_round(index, pairs)
            if book.kept >= effort.min_rounds:
                active = {name: step for name, step in active.items() if not settled(name, book.samples)}
    kept = {name: tuple(samples) for name, samples in book.samples.items()}
    return Rounds(samples=kept, voided=book.voided, seed=seed)


def call_medians_ns(samples: Sequence[Sample]) -> tuple[int, int]:
    """Median time of one call of the baseline and of the candidate."""
    return (
        round(median(sample.baseline_ns for sample in samples)),
        round(median(sample.candidate_ns for sample in samples)),
    )


def _one_round(
    index: int, steps: Mapping[str, Step], order: Random, on_turn: Callable[[str], None]
) -> dict[str, Sample]:
    """Everybody once, in random order."""
    line_up = list(steps)
    order.shuffle(line_up)
    durations_ns = {}
    for name in line_up:
        on_turn(name)
        durations_ns[name], _ = time_call_ns(steps[name])
    return {
        name: Sample(
            process=0,
            round_index=index,
            baseline_ns=durations_ns[BASELINE],
            candidate_ns=durations_ns[name],
            baseline_position=line_up.index(BASELINE),
            candidate_position=line_up.index(name),
        )
        for name in steps
        if name != BASELINE
    }
