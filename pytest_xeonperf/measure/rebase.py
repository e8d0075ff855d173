"""A rung held against another rung of the same rounds, rather than against the baseline of its ladder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.measure.failure import Failure, without_baseline
from pytest_xeonperf.measure.rounds import call_medians_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_xeonperf.records import Estimate, Measurement, Sample


def paired(candidate: Sequence[Sample], baseline: Sequence[Sample]) -> tuple[Sample, ...]:
    """Pairs of two rungs, from the rounds that both were in.

    Args:
        candidate: Its pairs with the baseline of the ladder.
        baseline: The pairs of the other rung with that same baseline.
    """
    by_round = {(sample.process, sample.round_index): sample for sample in baseline}
    return tuple(
        replace(mine, baseline_ns=theirs.candidate_ns, baseline_position=theirs.candidate_position)
        for mine in candidate
        if (theirs := by_round.get((mine.process, mine.round_index))) is not None
    )


def rebased(
    found: Measurement | Failure,
    baseline: Measurement | Failure,
    over: str,
    summarise: Callable[[Sequence[Sample]], Estimate],
) -> Measurement | Failure:
    """What a rung came to over another one; a failure of its own, or of that one, stays what it is."""
    if isinstance(found, Failure):
        return found
    if isinstance(baseline, Failure):
        return without_baseline(over, baseline)
    samples = paired(found.samples, baseline.samples)
    baseline_call_ns, candidate_call_ns = call_medians_ns(samples)
    return replace(
        found,
        case=replace(found.case, over=over),
        samples=samples,
        speedup=summarise(samples),
        baseline_median_ns=baseline_call_ns // found.items_per_call,
        candidate_median_ns=candidate_call_ns // found.items_per_call,
    )
