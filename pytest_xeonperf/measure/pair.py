"""Two callables, measured against each other: the free form, outside ladders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.measure.compilation import room_to_compile
from pytest_xeonperf.measure.fidelity import finite, generic_scores
from pytest_xeonperf.measure.rounds import call_medians_ns
from pytest_xeonperf.measure.timing import BaselineRaisedError, time_steps
from pytest_xeonperf.measure.warmup import warm_up
from pytest_xeonperf.records import Evidence, Measurement, Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.measure.bench import Bench
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.workloads.protocol import Step

_NO_WEIGHTS = Unknown(reason="two callables have no weights to count")


def measure_pair(case: Case, candidate: Step, baseline: Step, bench: Bench) -> Measurement:
    """Measure a candidate in pairs with a baseline; the output of one is compared with that of the other.

    Exceptions of either callable pass through: they are the test's own.
    """
    import torch

    with room_to_compile(), torch.no_grad():
        expected, warm = warm_up(baseline), warm_up(candidate)
        try:
            timed = time_steps(baseline, {case.variant: candidate}, case.over, bench)
        except BaselineRaisedError as error:
            raise error.cause from None
    for cause in timed.raised.values():
        raise cause
    rounds = timed.rounds
    samples = rounds.samples[case.variant]
    baseline_median_ns, candidate_median_ns = call_medians_ns(samples)
    return Measurement(
        case=case,
        item="call",
        items_per_call=1,
        samples=samples,
        voided_rounds=rounds.voided,
        disturbed_rounds=rounds.disturbed_pairs(case.variant),
        contention=timed.contention,
        seed=rounds.seed,
        speedup=bench.summarise(samples),
        baseline_median_ns=baseline_median_ns,
        candidate_median_ns=candidate_median_ns,
        fidelity=finite(generic_scores(expected.output, warm.output)),
        roofline=_NO_WEIGHTS,
        evidence=Evidence(
            compile_ns=warm.duration_ns,
            graph_breaks=warm.compiled.graph_breaks,
            first_break=warm.compiled.first_break,
            recompiles=timed.recompiles.get(case.variant, 0),
            kernels=warm.kernels,
            weight_bytes=0,
            peak_rss_bytes=_NO_WEIGHTS,
            left_in_bf16=(),
            operators=warm.operators,
        ),
    )
