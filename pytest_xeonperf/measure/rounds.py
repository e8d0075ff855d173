"""Interleaved rounds: the baseline and every undecided rung once each, in random order, until the evidence is in."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.measure.clock import quiet_collector, time_call_ns
from pytest_xeonperf.measure.pace import Pace
from pytest_xeonperf.records import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.measure.canary import Canary
    from pytest_xeonperf.measure.pace import Effort
    from pytest_xeonperf.workloads.protocol import Step

BASELINE = ""
"""Name of the baseline within a round: no variant has an empty one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """What came of the rounds: the pairs of each rung, and how many rounds were thrown away.

    Attributes:
        disturbed: Indices of those that were kept although the canary saw the machine disturbed.
    """

    samples: Mapping[str, tuple[Sample, ...]]
    voided: int
    seed: int
    disturbed: frozenset[int] = frozenset()

    def disturbed_pairs(self, name: str) -> int:
        """How many pairs of a rung are of such rounds."""
        return sum(sample.round_index in self.disturbed for sample in self.samples[name])


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
    """Measure every rung in pairs with the baseline; `Pace` says which rounds count, and when they end.

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
    samples: dict[str, list[Sample]] = {name: [] for name in rungs}
    active = dict(rungs)
    with quiet_collector():
        pace = Pace(effort=effort, sing=canary.healthy)
        while active and pace.goes_on():
            index = pace.index
            pairs = _one_round(index, {BASELINE: baseline, **active}, order, on_turn)
            if not pace.keeps():
                on_void(index)
                continue
            for name, pair in pairs.items():
                samples[name].append(pair)
            on_round(index, pairs)
            if pace.may_settle:
                active = {name: step for name, step in active.items() if not settled(name, samples)}
    kept = {name: tuple(pairs) for name, pairs in samples.items()}
    return Rounds(samples=kept, voided=pace.voided, seed=seed, disturbed=frozenset(pace.disturbed))


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
