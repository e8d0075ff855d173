"""W8A16 through a kernel of our own, which decodes as fast as the weights can be read.

Weights and scales are those of `woq_int8`, and so are checkpoints; only the kernel (``woq_int8.cpp``) is another. Up to
sixteen rows of activations are multiplied with the weights as they are; more, as in prefill, go through torch's matmul
on weights that are turned back a block at a time, into BF16 or, for processors that multiply it faster, into FP32.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from pytest_xeonperf.host.extension import load_operator
from pytest_xeonperf.variants.weight_only import QuantisedLinear
from pytest_xeonperf.variants.woq_int8 import Int8
from pytest_xeonperf.workloads.arithmetic import widens

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCE = Path(__file__).with_name("woq_int8.cpp")
_CHANNELS = 4
_STEP = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInt8(Int8):
    """The technique: int8 as `Int8` quantises it, for the kernel that reads it as fast as memory allows."""

    def refusal(self, *, out_features: int, in_features: int) -> str:
        """Why the kernel cannot take a layer of these widths; empty where it can."""
        if in_features % _STEP:
            return f"K={in_features} is not a multiple of {_STEP}"
        return f"N={out_features} is not a multiple of {_CHANNELS}" if out_features % _CHANNELS else ""

    def linear(self, tensors: Mapping[str, torch.Tensor], bias: torch.Tensor | None) -> nn.Module:
        """The layer that multiplies with the parts."""
        load_operator("woq_int8", _SOURCE, _shape_of_result)
        return StreamInt8Linear(tensors["weight"], tensors["scales"], bias)


class StreamInt8Linear(QuantisedLinear):
    """A Linear layer with int8 weights, through our kernel.

    Args:
        weight: int8 [N, K].
        scales: bf16 [N].
        bias: [N], or none.
    """

    quantised: torch.Tensor
    scales: torch.Tensor

    def __init__(self, weight: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__(weight.shape[0], weight.shape[1], bias)
        self.register_buffer("quantised", weight.clone(memory_format=torch.contiguous_format))
        self.register_buffer("scales", scales.to(torch.bfloat16, copy=True))

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """The product bf16 [M, N] with rows bf16 [M, K]."""
        product: torch.Tensor = torch.ops.xeonperf.woq_int8(rows, self.quantised, self.scales, widens())
        return product


def _shape_of_result(x: torch.Tensor, values: torch.Tensor, *_rest: object) -> torch.Tensor:
    return x.new_empty((x.shape[0], values.shape[0]))
