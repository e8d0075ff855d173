"""One case, measured by several processes: their pairs together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.measure.rounds import call_medians_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_xeonperf.records import Estimate, Measurement, Sample


def combined(measurements: Sequence[Measurement], summarise: Callable[[Sequence[Sample]], Estimate]) -> Measurement:
    """The measurement of the first process with the pairs of all of them, each under its number.

    Fidelity, kernels and memory are those of the first; voided rounds are counted over all.
    """
    first = measurements[0]
    samples = tuple(
        replace(sample, process=process) for process, each in enumerate(measurements) for sample in each.samples
    )
    baseline_call_ns, candidate_call_ns = call_medians_ns(samples)
    return replace(
        first,
        samples=samples,
        voided_rounds=sum(each.voided_rounds for each in measurements),
        speedup=summarise(samples),
        baseline_median_ns=baseline_call_ns // first.items_per_call,
        candidate_median_ns=candidate_call_ns // first.items_per_call,
    )
