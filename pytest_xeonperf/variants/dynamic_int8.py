"""W8A8 through a kernel of our own: int8 weights, and activations quantised as they come, a row at a time.

Weights and scales are those of `woq_int8`, and so are checkpoints. The kernel (``dynamic_int8.cpp``) brings each row of
activations to bytes, symmetric and to nearest, with a step of its own: ``x[m, k] = q[m, k] * step[m]``. Processors
without AMX multiply bytes some four times as fast as FP32. Nothing is calibrated; what rounding both sides costs, the
fidelity beside the speed-up says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from pytest_xeonperf.host.extension import load_operator, require_byte_instructions
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants.weight_only import QuantisedLinear
from pytest_xeonperf.variants.woq_int8 import Int8

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SOURCE = Path(__file__).with_name("dynamic_int8.cpp")
_COLUMNS, _UNIT, _STEP = 64, 4, 64
"""As the kernel has them: channels of a block, inputs that are summed at once, and what inputs are filled up to."""
_MOST = 1 << 17
"""Inputs whose products, of 127 and 127 at most, an int32 holds; what the zero of 128 adds may wrap and comes off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicInt8(Int8):
    """The technique: int8 as `Int8` quantises it, for the kernel that multiplies bytes with bytes."""

    def refusal(self, *, out_features: int, in_features: int) -> str:  # noqa: ARG002 - any N will do
        """Why the kernel cannot take a layer of these widths; empty where it can. They are filled up with zeros."""
        return f"K={in_features} is above {_MOST}, where sums may overflow" if in_features > _MOST else ""

    def linear(self, tensors: Mapping[str, torch.Tensor], bias: torch.Tensor | None) -> nn.Module:
        """The layer that multiplies with the parts.

        Raises:
            NotApplicableError: The processor lacks AVX512_VNNI, or there is no compiler.
        """
        load_kernel("dynamic_int8", _SOURCE, _shape_of_result, "kernel='dynamic'")
        return DynamicInt8Linear(tensors["weight"], tensors["scales"], bias)


class DynamicInt8Linear(QuantisedLinear):
    """A Linear layer with int8 weights that quantises what it is given, in FP32 or BF16.

    Args:
        weight: int8 [N, K].
        scales: bf16 [N]; a cast of the module takes them along.
        bias: [N], or none.
    """

    packed: torch.Tensor
    scales: torch.Tensor
    sums: torch.Tensor

    def __init__(self, weight: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__(weight.shape[0], weight.shape[1], bias)
        self.register_buffer("packed", pack(weight))
        self.register_buffer("scales", scales.clone())
        self.register_buffer("sums", weight.sum(dim=1, dtype=torch.int32))

    @property
    def dtype(self) -> torch.dtype:
        """Of the activations that it takes and gives."""
        return self.scales.dtype

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """The product [M, N] with rows [M, K], both in the dtype of the scales."""
        product: torch.Tensor = torch.ops.xeonperf.dynamic_int8(rows, self.packed, self.scales, self.sums)
        return product


@cache
def load_kernel(name: str, source: Path, shape_of_result: Callable[..., torch.Tensor], keyword: str) -> None:
    """Load a kernel that multiplies bytes with bytes.

    Raises:
        NotApplicableError: The processor lacks AVX512_VNNI, or there is no compiler.
    """
    require_byte_instructions(keyword)
    load_operator(name, source, shape_of_result, Isa.AVX512)


def pack(weight: torch.Tensor) -> torch.Tensor:
    """Int8 [N / 64, K / 4, 64 * 4] of a weight int8 [N, K], both widths filled up with zeros to multiples of 64."""
    channels, width = (
        -(-size // multiple) * multiple for size, multiple in zip(weight.shape, (_COLUMNS, _STEP), strict=True)
    )
    whole = weight.new_zeros(channels, width)
    whole[: weight.shape[0], : weight.shape[1]] = weight
    return whole.view(channels // _COLUMNS, _COLUMNS, width // _UNIT, _UNIT).transpose(1, 2).flatten(2)


def _shape_of_result(x: torch.Tensor, _packed: torch.Tensor, scales: torch.Tensor, _sums: torch.Tensor) -> torch.Tensor:
    return x.new_empty((x.shape[0], scales.shape[0]))
