"""Who gets onto a ladder: not a variant that killed a child, nor one this machine cannot build or hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.compiler import need_compiler
from pytest_xeonperf.measure import plan
from pytest_xeonperf.measure.failure import Failure, FailureKind
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.variants.spec import REFERENCE, Dtype, lookup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def admit(
    key: LadderKey, phase: Phase, rungs: Sequence[Variant], barred: Sequence[Barred], available_bytes: int
) -> Admission:
    """Sort the rungs of a ladder into those that run and those that do not."""
    wanted = lookup(key.over)
    baseline = _fitting_baseline(phase, wanted, available_bytes)
    no_baseline = _refusal(key, baseline, barred) or _refusal(key, REFERENCE, barred)
    if no_baseline:
        reason = f"baseline or reference: {no_baseline[0].reason}"
        failure = replace(no_baseline[0], kind=FailureKind.NO_BASELINE, reason=reason)
        return Admission(baseline=baseline, groups=(), refused=dict.fromkeys([rung.name for rung in rungs], failure))
    refused = {rung.name: failure for rung in rungs for failure in _refusal(key, rung, barred)}
    if not isinstance(phase.footprint, Unknown) and plan.fits(phase.footprint, (baseline,), available_bytes):
        refused |= _too_large(phase.footprint, baseline, rungs, available_bytes)
    if baseline != wanted:
        reason = f"{wanted.name} does not fit into memory: this is the baseline in its place"
        refused[baseline.name] = Failure(kind=FailureKind.NOT_APPLICABLE, reason=reason)
    able = [rung for rung in rungs if rung.name not in refused]
    try:
        groups = plan.groups(phase.footprint, baseline, able, available_bytes) if able else ()
    except NotApplicableError as error:
        failure = Failure(kind=FailureKind.NOT_APPLICABLE, reason=str(error))
        return Admission(baseline=baseline, groups=(), refused=dict.fromkeys([rung.name for rung in rungs], failure))
    return Admission(baseline=baseline, groups=groups, refused=refused)


def _too_large(
    footprint: Footprint, baseline: Variant, rungs: Sequence[Variant], available_bytes: int
) -> dict[str, Failure]:
    """Rungs that do not fit beside the baseline."""
    return {
        rung.name: Failure(
            kind=FailureKind.NOT_APPLICABLE,
            reason=str(plan.does_not_fit(footprint, (baseline, rung), available_bytes)),
        )
        for rung in rungs
        if not plan.fits(footprint, (baseline, rung), available_bytes)
    }


def _refusal(key: LadderKey, variant: Variant, barred: Sequence[Barred]) -> tuple[Failure, ...]:
    """Why a variant may not run; nothing if it may."""
    for dead in barred:
        if (dead.ladder, dead.variant) == (key.label, variant.name):
            return (Failure(kind=FailureKind.DIED, reason=dead.reason),)
    if variant.compile:
        try:
            need_compiler()
        except NotApplicableError as error:
            return (Failure(kind=FailureKind.NOT_APPLICABLE, reason=str(error)),)
    return ()


def _fitting_baseline(phase: Phase, wanted: Variant, available_bytes: int) -> Variant:
    """The baseline that was asked for, or eager BF16 where FP32 does not fit: the blog's own baseline for 7B.

    The FP32 reference for fidelity needs no more than a layer at a time even then: its weights are mapped from a file,
    and the kernel drops the pages of one layer when the next is read.
    """
    footprint = phase.footprint
    if isinstance(footprint, Unknown) or wanted.dtype is not Dtype.FP32:
        return wanted
    return wanted if plan.fits(footprint, (wanted,), available_bytes) else lookup("eager_bf16")
