"""Which limit of the machine binds a step, and how much of it was reached."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Bound, Limits, Roofline, Unknown
from pytest_xeonperf.variants.spec import Dtype, Internals

if TYPE_CHECKING:
    from pytest_xeonperf.records import Amx
    from pytest_xeonperf.variants.spec import Variant


def roofline(
    *,
    duration_ns: int,
    flop: int,
    streamed_bytes: int,
    resident_bytes: int,
    cache_bytes: int,
    variant: Variant,
    limits: Limits | Unknown,
) -> Roofline | Unknown:
    """Share of the binding limit: the time that the limit would allow over the time that was measured.

    Args:
        duration_ns: Of one call.
        flop: Of one call.
        streamed_bytes: Weight bytes times how often one call streams them.
        resident_bytes: Weights of the variant, each once.
        cache_bytes: Of the last-level cache: smaller weights may stay in it, and memory's bandwidth does not bind them.
        variant: Its dtype picks the compute peak.
        limits: Measured in the same session.
    """
    if isinstance(limits, Unknown):
        return limits
    if duration_ns <= 0:
        return Unknown(reason="no duration")
    compute_s = flop / peak(limits, variant)
    bandwidth_s = streamed_bytes / limits.read_bytes_per_s if resident_bytes > cache_bytes else 0.0
    bound = Bound.BANDWIDTH if bandwidth_s > compute_s else Bound.COMPUTE
    return Roofline(
        fraction=max(compute_s, bandwidth_s) / (duration_ns / 1e9), bound=bound, flop=flop, weight_bytes=streamed_bytes
    )


def limits_of(variant: Variant, limits: Limits | Unknown, amx: Amx) -> Limits | Unknown:
    """The limits that bind a variant: those of oneDNN, which Inductor's own products pass where it is kept from AMX."""
    if variant.autotune and amx.usable_by_inductor and not amx.usable_by_onednn:
        return Unknown(reason="the limits are those of oneDNN without AMX; this variant's own products use AMX")
    return limits


def best_of(first: Limits, second: Limits) -> Limits:
    """The higher of two measurements of each limit: a limit is what the machine can do at best."""
    return Limits(
        read_bytes_per_s=max(first.read_bytes_per_s, second.read_bytes_per_s),
        fp32_flop_per_s=max(first.fp32_flop_per_s, second.fp32_flop_per_s),
        bf16_flop_per_s=max(first.bf16_flop_per_s, second.bf16_flop_per_s),
        int8_op_per_s=max(first.int8_op_per_s, second.int8_op_per_s),
    )


def against(found: Roofline, variant: Variant, *, before: Limits, now: Limits) -> Roofline:
    """The same share against limits that turned out to be higher; the limit that bound it stays."""
    if found.bound is Bound.BANDWIDTH:
        return replace(found, fraction=found.fraction * before.read_bytes_per_s / now.read_bytes_per_s)
    return replace(found, fraction=found.fraction * peak(before, variant) / peak(now, variant))


def peak(limits: Limits, variant: Variant) -> float:
    """Operations a second that the machine reaches in the fastest of what layers of the variant multiply."""
    if variant.multiplies_bytes:
        return limits.int8_op_per_s
    if variant.dtype is Dtype.FP32 and variant.internals is Internals.SAME:
        return limits.fp32_flop_per_s
    # where BF16 is slow, kernels of torch's, of ours and of peers may widen it
    return max(limits.fp32_flop_per_s, limits.bf16_flop_per_s)
