"""One case, measured by several processes: their pairs together."""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Contention, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_xeonperf.records import Estimate, Measurement, Roofline, Sample


def combined(measurements: Sequence[Measurement], summarise: Callable[[Sequence[Sample]], Estimate]) -> Measurement:
    """The measurement of the first process with the pairs of all of them, each under its number.

    A latency is the median of the processes' medians, and the share of a limit is that of this latency; voided and
    disturbed rounds and contention are counted over all. Fidelity, kernels and memory are those of the first.
    """
    first = measurements[0]
    samples = tuple(
        replace(sample, process=process) for process, each in enumerate(measurements) for sample in each.samples
    )
    candidate_median_ns = round(median(each.candidate_median_ns for each in measurements))
    return replace(
        first,
        samples=samples,
        voided_rounds=sum(each.voided_rounds for each in measurements),
        disturbed_rounds=_counted([each.disturbed_rounds for each in measurements]),
        contention=_summed([each.contention for each in measurements]),
        speedup=summarise(samples),
        baseline_median_ns=round(median(each.baseline_median_ns for each in measurements)),
        candidate_median_ns=candidate_median_ns,
        roofline=_at(first.roofline, first.candidate_median_ns, candidate_median_ns),
    )


def _at(roofline: Roofline | Unknown, before_ns: int, now_ns: int) -> Roofline | Unknown:
    """The share of the limit at another latency."""
    if isinstance(roofline, Unknown) or now_ns <= 0:
        return roofline
    return replace(roofline, fraction=roofline.fraction * before_ns / now_ns)


def _counted(counts: Sequence[int | Unknown]) -> int | Unknown:
    known = [each for each in counts if not isinstance(each, Unknown)]
    return sum(known) if len(known) == len(counts) else next(each for each in counts if isinstance(each, Unknown))


def _summed(contentions: Sequence[Contention | Unknown]) -> Contention | Unknown:
    known = [each for each in contentions if isinstance(each, Contention)]
    if len(known) < len(contentions):
        return next(each for each in contentions if isinstance(each, Unknown))
    return Contention(
        elapsed_ns=sum(each.elapsed_ns for each in known),
        cores=known[0].cores,
        stolen_ns=sum(each.stolen_ns for each in known),
        others_ns=sum(each.others_ns for each in known),
        throttled_ns=sum(each.throttled_ns for each in known),
    )
