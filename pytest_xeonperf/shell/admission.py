"""Who gets onto a ladder: not a variant that killed a child, nor one this machine cannot build or hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.compiler import need_compiler
from pytest_xeonperf.measure import plan
from pytest_xeonperf.measure.failure import Failure, FailureKind
from pytest_xeonperf.records import Isa, Unknown
from pytest_xeonperf.units import show_bytes, show_minutes
from pytest_xeonperf.variants import autotuned, peers
from pytest_xeonperf.variants.named import REFERENCE, lookup
from pytest_xeonperf.variants.spec import Dtype, Internals
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_xeonperf.records import Amx, Limits
    from pytest_xeonperf.shell.protocol import Barred
    from pytest_xeonperf.shell.rungs import LadderKey
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Footprint, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A ladder as it will be measured.

    Attributes:
        groups: Rungs that fit into memory together, each group beside the baseline.
        refused: Rungs that will not run, and why.
    """

    baseline: Variant
    groups: tuple[tuple[Variant, ...], ...]
    refused: Mapping[str, Failure]

    @property
    def able(self) -> tuple[Variant, ...]:
        """Rungs of all groups."""
        return tuple(rung for group in self.groups for rung in group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What there is to measure a ladder with.

    Attributes:
        rounds: The fewest that reach a verdict.
        budget_s: For the rounds of one ladder.
    """

    amx: Amx
    isa: Isa
    limits: Limits | Unknown
    available_bytes: int
    rounds: int
    budget_s: float


def admit(key: LadderKey, phase: Phase, rungs: Sequence[Variant], barred: Sequence[Barred], room: Room) -> Admission:
    """Sort the rungs of a ladder into those that run and those that do not."""
    available_bytes = room.available_bytes
    wanted = lookup(key.over)
    baseline = _fitting_baseline(phase, wanted, available_bytes)
    no_baseline = _refusal(key, baseline, barred, room) or _refusal(key, REFERENCE, barred, room)
    if no_baseline:
        reason = f"baseline or reference: {no_baseline[0].reason}"
        kind = no_baseline[0].kind if no_baseline[0].kind is FailureKind.NEEDS_MORE else FailureKind.NO_BASELINE
        failure = Failure(kind=kind, reason=reason)
        return Admission(baseline=baseline, groups=(), refused=dict.fromkeys([rung.name for rung in rungs], failure))
    refused = {rung.name: failure for rung in rungs for failure in _refusal(key, rung, barred, room)}
    if not isinstance(phase.footprint, Unknown) and plan.fits(phase.footprint, (baseline,), available_bytes):
        refused = _too_large(phase.footprint, baseline, rungs, room) | refused
    if baseline != wanted:
        reason = f"{wanted.name} does not fit into memory: this is the baseline in its place"
        refused[baseline.name] = _needs_more(reason)
    able = [rung for rung in rungs if rung.name not in refused]
    try:
        groups = plan.groups(phase.footprint, baseline, able, available_bytes) if able else ()
    except NotApplicableError as error:
        dead = {name: failure for name, failure in refused.items() if failure.kind is FailureKind.DIED}
        too_large = dict.fromkeys([rung.name for rung in rungs], _needs_more(str(error)))
        return Admission(baseline=baseline, groups=(), refused=too_large | dead)
    return Admission(baseline=baseline, groups=groups, refused=refused)


def without_repeats(
    admitted: Mapping[LadderKey, Admission], phase: Phase, available_bytes: int
) -> dict[LadderKey, Admission]:
    """The ladders of one model, each pair measured for the ladder that asks for it.

    Where eager BF16 stands in for an FP32 that does not fit, a rung may have a ladder over eager BF16 as well: what is
    measured is a result of that one, and over FP32 there is none.
    """
    over = {lookup(key.over): admission.able for key, admission in admitted.items()}
    return {
        key: admission
        if isinstance(phase.footprint, Unknown) or admission.baseline == lookup(key.over)
        else _without(admission, over.get(admission.baseline, ()), phase.footprint, lookup(key.over), available_bytes)
        for key, admission in admitted.items()
    }


def _without(
    admission: Admission, elsewhere: Sequence[Variant], footprint: Footprint, wanted: Variant, available_bytes: int
) -> Admission:
    repeated = [rung.name for rung in admission.able if rung in elsewhere]
    needs_more = _needs_more(str(plan.does_not_fit(footprint, (wanted,), available_bytes)))
    groups = (tuple(rung for rung in group if rung not in elsewhere) for group in admission.groups)
    return replace(
        admission,
        groups=tuple(group for group in groups if group),
        refused={**admission.refused, **dict.fromkeys(repeated, needs_more)},
    )


def _too_large(footprint: Footprint, baseline: Variant, rungs: Sequence[Variant], room: Room) -> dict[str, Failure]:
    """Rungs that do not fit beside the baseline, or whose fewest rounds do not fit into the budget."""
    refused = {}
    for rung in rungs:
        least_s = plan.least_s(footprint, (baseline, rung), room.limits, room.rounds)
        if baseline != REFERENCE and not plan.reference_fits(footprint, room.available_bytes):
            needed = show_bytes(plan.reference_bytes(footprint))
            refused[rung.name] = _needs_more(
                f"the FP32 reference needs {needed}, {show_bytes(room.available_bytes)} are available"
            )
        elif not plan.fits(footprint, (baseline, rung), room.available_bytes):
            refused[rung.name] = _needs_more(str(plan.does_not_fit(footprint, (baseline, rung), room.available_bytes)))
        elif least_s > room.budget_s:
            refused[rung.name] = _needs_more(
                f"{room.rounds} rounds beside {baseline.name} take {show_minutes(least_s)} at the machine's limits and "
                f"more in truth, the budget is {show_minutes(room.budget_s)}: give --xeonperf-budget, in seconds"
            )
    return refused


def _needs_more(reason: str) -> Failure:
    return Failure(kind=FailureKind.NEEDS_MORE, reason=reason)


def _refusal(key: LadderKey, variant: Variant, barred: Sequence[Barred], room: Room) -> tuple[Failure, ...]:
    """Why a variant may not run; nothing if it may."""
    for dead in barred:
        if (dead.model, dead.variant) == (key.model, variant.name):
            return (Failure(kind=FailureKind.DIED, reason=dead.reason),)
    missing = _missing_instructions(variant, room.isa, key.preset)
    if missing:
        return (_needs_more(f"{missing}; usable here is {room.isa}"),)
    try:
        peers.require(variant)
        if variant.autotune:
            autotuned.require(room.amx)
    except NotApplicableError as error:
        return (Failure(kind=FailureKind.NOT_APPLICABLE, reason=str(error)),)
    if variant.compile:
        try:
            need_compiler()
        except NotApplicableError as error:
            return (_needs_more(str(error)),)
    return ()


def _missing_instructions(variant: Variant, isa: Isa, preset: Preset) -> str:
    """What a variant cannot be without, or not be fast without; empty where nothing is missing."""
    if isa.rank < Isa.AVX512.rank:
        if variant.product_dtype is Dtype.BF16 and preset is not Preset.SMOKE:
            return "BF16 is emulated without AVX-512"
        if variant.takes_our_kernels:
            return f"our kernels need {Isa.AVX512}"
    if variant.internals is Internals.BF16 and isa.rank < Isa.AMX_BF16.rank:
        return f"oneDNN rounds FP32 to BF16 only with {Isa.AMX_BF16}"
    return ""


def _fitting_baseline(phase: Phase, wanted: Variant, available_bytes: int) -> Variant:
    """The baseline that was asked for, or eager BF16 where FP32 does not fit: the blog's own baseline for 7B.

    The FP32 reference for fidelity needs no more than a layer at a time even then: see `variants/streamed.py`.
    """
    footprint = phase.footprint
    if isinstance(footprint, Unknown) or wanted.dtype is not Dtype.FP32:
        return wanted
    return wanted if plan.fits(footprint, (wanted,), available_bytes) else lookup("eager_bf16")
