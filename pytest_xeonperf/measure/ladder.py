"""One ladder, measured: the baseline and its rungs built, warmed up, compared with the reference, timed in pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError, NotApplicableError, XeonPerfError
from pytest_xeonperf.host.limits import last_level_cache_bytes
from pytest_xeonperf.host.memory import give_back
from pytest_xeonperf.measure.bench import Reference
from pytest_xeonperf.measure.compilation import room_to_compile
from pytest_xeonperf.measure.failure import Failure, FailureKind, without_baseline
from pytest_xeonperf.measure.fidelity import finite, generic_scores, keep
from pytest_xeonperf.measure.roofline import limits_of, roofline
from pytest_xeonperf.measure.rounds import call_medians_ns
from pytest_xeonperf.measure.timing import BaselineRaisedError, Timed, time_steps
from pytest_xeonperf.measure.warmup import counted, warm_up
from pytest_xeonperf.records import Case, Evidence, Measurement, Metric, Unknown
from pytest_xeonperf.variants import apply
from pytest_xeonperf.variants.named import REFERENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_xeonperf.measure.bench import Bench
    from pytest_xeonperf.measure.warmup import WarmUp
    from pytest_xeonperf.variants.apply import Built
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Phase, Step, Workload


_LEAST_CACHE_BYTES = 128 << 20
"""The kernel may know of no cache, or of one slice of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """What is measured together: one phase of one workload, a baseline, and the rungs over it."""

    workload: Workload
    phase: Phase
    preset: str
    baseline: Variant
    rungs: tuple[Variant, ...]

    def case(self, rung: Variant) -> Case:
        """Identity of a rung in the history."""
        return Case(
            workload=self.workload.name,
            phase=self.phase.name,
            preset=self.preset,
            variant=rung.name,
            metric=Metric.LATENCY,
            over=self.baseline.name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entrant:
    variant: Variant
    step: Step
    warm: WarmUp
    built: Built


def measure_ladder(ladder: Ladder, bench: Bench) -> Mapping[str, Measurement | Failure]:
    """Measure every rung of a ladder; one that fails does not take the others with it."""
    import torch

    try:
        with room_to_compile(), torch.no_grad():
            return _measure(ladder, bench)
    finally:
        give_back()  # only now has Dynamo let go of the compiled models


def _measure(ladder: Ladder, bench: Bench) -> Mapping[str, Measurement | Failure]:
    names = [rung.name for rung in ladder.rungs]
    reference = _reference(ladder, bench)  # first, and released: it may not fit beside the others
    if isinstance(reference, Failure):
        return dict.fromkeys(names, reference)
    baseline = _attempt(ladder, ladder.baseline, bench, count_flop=ladder.baseline == REFERENCE)
    if isinstance(baseline, Failure):
        return dict.fromkeys(names, without_baseline(ladder.baseline.name, baseline))
    reference = reference or bench.references.setdefault(
        _model(ladder), Reference(output=baseline.warm.output, flop=baseline.warm.flop)
    )
    entrants = {rung.name: _attempt(ladder, rung, bench) for rung in ladder.rungs}
    ready = {name: entrant for name, entrant in entrants.items() if isinstance(entrant, _Entrant)}
    try:
        steps = {name: entrant.step for name, entrant in ready.items()}
        timed = time_steps(baseline.step, steps, ladder.baseline.name, bench)
    except BaselineRaisedError as error:
        return dict.fromkeys(entrants, without_baseline(ladder.baseline.name, _failure(error.cause)))
    measured: dict[str, Measurement | Failure] = {
        name: failure for name, failure in entrants.items() if isinstance(failure, Failure)
    }
    for name, entrant in ready.items():
        if name in timed.raised:
            measured[name] = _failure(timed.raised[name])
        else:
            measured[name] = _measurement(ladder, bench, reference, entrant, timed)
    return measured


def build_step(
    ladder: Ladder, variant: Variant, build: Callable[[Variant, Workload, Phase], Built] = apply.build
) -> tuple[Step, Built]:
    """A variant of the ladder's phase, built and bound to its inputs; nothing has run yet.

    Random numbers start from the same seed each time: a model that initialises itself is the same in every variant.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        built = build(variant, ladder.workload, ladder.phase)
        inputs = apply.prepared(ladder.phase.inputs(), variant)
        bound = built.bind(ladder.phase, inputs)

    def step() -> object:
        with torch.no_grad():
            return bound()

    return step, built


def _attempt(ladder: Ladder, variant: Variant, bench: Bench, *, count_flop: bool = False) -> _Entrant | Failure:
    """Build and warm up one variant; what goes wrong is a fact about it."""
    try:
        bench.watcher.entering(variant.name, "building")
        step, built = build_step(ladder, variant)
        bench.watcher.entering(variant.name, "compiling" if variant.compile else "warming up")
        warm = warm_up(step, count_flop=count_flop, makes_code=variant.makes_code)
    except Exception as error:  # noqa: BLE001 - any exception of a user's model is that variant's verdict
        return _failure(error)
    return _Entrant(variant=variant, step=step, warm=warm, built=built)


def _failure(error: Exception) -> Failure:
    if isinstance(error, NotApplicableError):
        return Failure(kind=FailureKind.NOT_APPLICABLE, reason=str(error))
    if isinstance(error, DataError):
        return Failure(kind=FailureKind.BAD_DATA, reason=str(error))
    text = str(error) if isinstance(error, XeonPerfError) else f"{type(error).__name__}: {error}".strip()
    no_memory = isinstance(error, MemoryError) or "can't allocate memory" in text
    return Failure(kind=FailureKind.OUT_OF_MEMORY if no_memory else FailureKind.RAISED, reason=text)


def _reference(ladder: Ladder, bench: Bench) -> Reference | Failure | tuple[()]:
    """The FP32 eager output on the same inputs; nothing yet where the baseline is that very model and will give it.

    Otherwise it is run once, with its weights where they are stored, a layer at a time in FP32.
    """
    if _model(ladder) in bench.references:
        return bench.references[_model(ladder)]
    if ladder.baseline == REFERENCE:
        return ()
    try:
        bench.watcher.entering(REFERENCE.name, "running the reference")
        step, _built = build_step(ladder, REFERENCE, apply.build_streamed)
        _duration_ns, output, flop = counted(step)
    except Exception as error:  # noqa: BLE001 - as for any variant
        failure = _failure(error)
        return replace(without_baseline(REFERENCE.name, failure), reason=f"FP32 reference: {failure.reason}")
    return bench.references.setdefault(_model(ladder), Reference(output=keep(output), flop=flop))


def _model(ladder: Ladder) -> tuple[str, str, str]:
    return (ladder.workload.name, ladder.phase.name, ladder.preset)


def _measurement(
    ladder: Ladder, bench: Bench, reference: Reference, entrant: _Entrant, timed: Timed
) -> Measurement | Failure:
    """What the rounds and the output of one rung come to; scores that raise are its own failure."""
    phase, warm, rounds = ladder.phase, entrant.warm, timed.rounds
    bench.watcher.entering(entrant.variant.name, "comparing")
    try:
        scores = finite(generic_scores(reference.output, warm.output) + phase.scores(reference.output, warm.output))
    except Exception as error:  # noqa: BLE001 - a workload's own scores may raise anything
        return _failure(error)
    samples = rounds.samples[entrant.variant.name]
    baseline_call_ns, candidate_call_ns = call_medians_ns(samples)
    return Measurement(
        case=ladder.case(entrant.variant),
        item=phase.item,
        items_per_call=phase.items_per_call,
        samples=samples,
        voided_rounds=rounds.voided,
        disturbed_rounds=rounds.disturbed_pairs(entrant.variant.name),
        contention=timed.contention,
        seed=rounds.seed,
        speedup=bench.summarise(samples),
        baseline_median_ns=baseline_call_ns // phase.items_per_call,
        candidate_median_ns=candidate_call_ns // phase.items_per_call,
        fidelity=scores,
        roofline=roofline(
            duration_ns=candidate_call_ns,
            flop=reference.flop,
            streamed_bytes=entrant.built.streamed_bytes * phase.weight_passes,
            resident_bytes=entrant.built.weight_bytes,
            cache_bytes=max(last_level_cache_bytes(), _LEAST_CACHE_BYTES),
            variant=entrant.variant,
            limits=limits_of(entrant.variant, bench.limits, bench.amx),
        ),
        evidence=Evidence(
            compile_ns=warm.duration_ns,
            graph_breaks=warm.compiled.graph_breaks,
            first_break=warm.compiled.first_break,
            recompiles=timed.recompiles.get(entrant.variant.name, 0),
            kernels=warm.kernels,
            weight_bytes=entrant.built.weight_bytes,
            peak_rss_bytes=Unknown(reason="not measured in a process of its own"),
            left_in_bf16=entrant.built.left_in_bf16,
            operators=warm.operators,
        ),
    )
