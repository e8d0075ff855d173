"""What a ladder will need, from arithmetic alone, and how its rungs are grouped so that they fit. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.measure.roofline import peak
from pytest_xeonperf.records import Isa, Unknown
from pytest_xeonperf.units import show_bytes
from pytest_xeonperf.variants.spec import CONVERTING, WIDTH_BYTES, Convolutions, Dtype, Kernel, Woq
from pytest_xeonperf.workloads.protocol import Attention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Limits
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Footprint

_BYTES_PER_WEIGHT = {Woq.INT8: 1.05, Woq.INT4: 0.7}  # with scales, and the embedding left in BF16
_COPIES_TO_CALIBRATE = 3  # of the weights in FP32, beside all activations, while NNCF quantises
_OUTSIDE_LINEARS = 0.5  # of a diffusion model's weights are those of convolutions: others have fewer
_PROCESS_BYTES = 1536 * 1024 * 1024  # the interpreter, torch, the model libraries and Inductor's workers

_SHARE_OF_A_GROUP = 0.8
"""Of what is available: several variants at once save seconds, and are not worth the last of the memory."""

_LARGEST_LAYER_BYTES = 4 << 30  # a vocabulary's layer in FP32: 128 Ki words of 8 Ki channels

# Rough rates for plans: what two cores do where nothing better is known.
_FP32_FLOP_PER_S = {Isa.AVX512: 3e11}  # what counts as no more than this is faster in FP32 than in BF16
_FP32_ELSEWHERE_FLOP_PER_S = 1.5e11
_BF16_FLOP_PER_S = {Isa.AMX_BF16: 6e11, Isa.AVX512_BF16: 3e11}
_BF16_BY_DETOURS_FLOP_PER_S = 1.5e11  # half of FP32's speed, or each product made of FP32 ones
_BYTES_FLOP_PER_S = 8e11
_NOMINAL_BYTES_PER_S = 1.5e10
_BUILD_S, _COMPILE_S, _CALIBRATE_S = 6.0, 25.0, 60.0
_EAGER_CALLS, _COMPILED_CALLS = 8, 9  # one or two of warm-up, the six rounds of a clear case, and one of weighing


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The memory that one variant of one phase is expected to take.

    Attributes:
        resident_bytes: For as long as it is on its ladder: weights, which each variant has for itself, and what it
            keeps between calls.
        passing_bytes: Only while it runs, which no two variants do at a time.
    """

    resident_bytes: int
    passing_bytes: int

    @property
    def memory_bytes(self) -> int:
        """At its peak."""
        return self.resident_bytes + self.passing_bytes


def need(footprint: Footprint, variant: Variant) -> Need:
    """Memory for building, warming up and measuring one variant."""
    narrower = WIDTH_BYTES[variant.tensor_dtype] / WIDTH_BYTES[Dtype.FP32]  # than the footprint's FP32
    # a quarter of the footprint's activations where the whole score matrix is not there
    passing_bytes = footprint.activation_bytes * narrower * (1.0 if variant.attention is Attention.PLAIN else 0.5)
    read_bytes = _weight_bytes(footprint, variant)
    resident_bytes = read_bytes + footprint.state_bytes * narrower
    if variant.runtime in CONVERTING:  # torch's module stays, and the peer plans its memory once and for all
        resident_bytes += footprint.parameters * WIDTH_BYTES[variant.tensor_dtype] + passing_bytes
    elif variant.freeze:  # the module's weights, and those packed into the compiled code
        resident_bytes += footprint.parameters * WIDTH_BYTES[variant.dtype] * _share_left(variant)
    if variant.kernel is Kernel.NNCF:
        copies_bytes = _COPIES_TO_CALIBRATE * footprint.parameters * WIDTH_BYTES[Dtype.FP32]
        passing_bytes += copies_bytes + footprint.activation_bytes
    return Need(
        resident_bytes=int(resident_bytes),
        passing_bytes=int(passing_bytes),
    )


def expected_s(footprint: Footprint, variant: Variant, isa: Isa) -> float:
    """Seconds for building, warming up and measuring one variant on a machine: orders of magnitude.

    Args:
        footprint: Of the phase.
        variant: Measured in six rounds.
        isa: What the machine can do with BF16.
    """
    flop_per_s = _FP32_FLOP_PER_S.get(isa, _FP32_ELSEWHERE_FLOP_PER_S)
    if variant.multiplies_bytes:
        flop_per_s = _BYTES_FLOP_PER_S
    elif variant.product_dtype is Dtype.BF16:
        flop_per_s = _BF16_FLOP_PER_S.get(isa, _BF16_BY_DETOURS_FLOP_PER_S)
    read_bytes = _weight_bytes(footprint, variant) * footprint.weight_passes
    call_s = max(footprint.flop / flop_per_s, read_bytes / _NOMINAL_BYTES_PER_S)
    calls = _COMPILED_CALLS if variant.makes_code else _EAGER_CALLS
    calibrate_s = _CALIBRATE_S if variant.kernel is Kernel.NNCF else 0.0
    return _BUILD_S + (_COMPILE_S if variant.makes_code else 0.0) + calibrate_s + calls * call_s


def _weight_bytes(footprint: Footprint, variant: Variant) -> float:
    # where both are there, as much as the wider one
    left, in_int4 = _share_left(variant), variant.woq is Woq.INT4 and variant.convolutions is Convolutions.ATEN
    quantised_bytes = _BYTES_PER_WEIGHT[Woq.INT4 if in_int4 else Woq.INT8]
    return footprint.parameters * (left * WIDTH_BYTES[variant.dtype] + (1 - left) * quantised_bytes)


def _share_left(variant: Variant) -> float:
    """The share of weights that a variant leaves in its dtype, at most."""
    if variant.woq is Woq.NONE:
        return 1.0  # of a model that convolves little; of a VAE nothing is left
    convolutions_left = variant.kernel is Kernel.DYNAMIC and variant.convolutions is Convolutions.ATEN
    return _OUTSIDE_LINEARS if convolutions_left else 0.0


def least_s(footprint: Footprint, variants: Sequence[Variant], limits: Limits | Unknown, rounds: int) -> float:
    """Seconds that so many rounds of these variants take at the very least: at the limits of the machine, or nothing.

    Args:
        footprint: Its operations, which no kernel can do without.
        variants: Everybody in a round.
        limits: As measured; where they are not known nothing can be said.
        rounds: Each runs everybody once.
    """
    if isinstance(limits, Unknown):
        return 0.0
    return rounds * sum(footprint.flop / peak(limits, variant) for variant in variants)


def reference_fits(footprint: Footprint, available_bytes: int) -> bool:
    """Whether the FP32 reference fits by itself: a layer at a time, with all of its activations."""
    return reference_bytes(footprint) < available_bytes


def reference_bytes(footprint: Footprint) -> int:
    """What the FP32 reference takes, its weights mapped and one layer at a time in FP32."""
    return (
        min(4 * footprint.parameters, _LARGEST_LAYER_BYTES)
        + footprint.activation_bytes
        + footprint.state_bytes
        + _PROCESS_BYTES
    )


def groups(
    footprint: Footprint | Unknown, baseline: Variant, rungs: Sequence[Variant], available_bytes: int
) -> tuple[tuple[Variant, ...], ...]:
    """Rungs in groups that fit into memory together with the baseline, in the order given.

    Raises:
        NotApplicableError: The baseline does not fit at all.
    """
    if isinstance(footprint, Unknown):
        return (tuple(rungs),)
    if not fits(footprint, (baseline,), available_bytes):
        raise does_not_fit(footprint, (baseline,), available_bytes)
    made: list[list[Variant]] = [[]]
    for rung in rungs:
        if made[-1] and not fits(footprint, (baseline, *made[-1], rung), int(available_bytes * _SHARE_OF_A_GROUP)):
            made.append([])
        made[-1].append(rung)
    return tuple(map(tuple, made))


def at_once(footprint: Footprint | Unknown, variants: Sequence[Variant], available_bytes: int, most: int) -> int:
    """How many processes, each with one of these variants, there is room for: at least one.

    Where nothing is known of the model it is one.

    Args:
        footprint: Of the model that each holds.
        variants: One for each process.
        available_bytes: For all of them.
        most: As many as the cores can serve.
    """
    if isinstance(footprint, Unknown):
        return 1
    needs = sorted((total_bytes(footprint, (variant,)) for variant in variants), reverse=True)
    counts = range(min(most, len(variants)), 1, -1)
    return next((count for count in counts if sum(needs[:count]) < available_bytes), 1)


def fits(footprint: Footprint, variants: Sequence[Variant], available_bytes: int) -> bool:
    """Whether these variants fit into memory together, beside the process itself."""
    return total_bytes(footprint, variants) < available_bytes


def does_not_fit(footprint: Footprint, variants: Sequence[Variant], available_bytes: int) -> NotApplicableError:
    """The skip that names the figure needed and the figure present."""
    return NotApplicableError(
        f"needs {show_bytes(total_bytes(footprint, variants))}, {show_bytes(available_bytes)} are available",
        where=" beside ".join(variant.name for variant in reversed(variants)),
        remedy="use a smaller preset, or a machine with more memory",
    )


def total_bytes(footprint: Footprint, variants: Sequence[Variant]) -> int:
    """What these variants take together, with the process itself."""
    needs = [need(footprint, variant) for variant in variants]
    return sum(each.resident_bytes for each in needs) + max(each.passing_bytes for each in needs) + _PROCESS_BYTES
