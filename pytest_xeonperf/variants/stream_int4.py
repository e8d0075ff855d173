"""W4A16 through a kernel of our own, which decodes as fast as the weights can be read.

Weights, scales and zero points are those of `woq_int4` in groups of 128, and so are checkpoints; only the layout and
the kernel (``woq_int4.cpp``) are others. Up to sixteen rows of activations are multiplied with the weights as they are;
more, as in prefill, go through torch's matmul on weights that are turned back a block at a time, into BF16 or, for
processors that multiply it faster, into FP32.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from pytest_xeonperf.host.extension import load_operator
from pytest_xeonperf.variants.weight_only import QuantisedLinear, blocks_of_rows
from pytest_xeonperf.variants.woq_int4 import Int4, unpack
from pytest_xeonperf.workloads.arithmetic import widens

if TYPE_CHECKING:
    from collections.abc import Mapping

_SOURCE = Path(__file__).with_name("woq_int4.cpp")
_CHANNELS = 4
_GROUP = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInt4(Int4):
    """The technique: int4 as `Int4` quantises it, laid out for the kernel that reads it as fast as memory allows."""

    def refusal(self, *, out_features: int, in_features: int) -> str:
        """Why the kernel cannot take a layer of these widths; empty where it can."""
        if self.group_size != _GROUP:
            return f"group size {self.group_size} is not {_GROUP}"
        if in_features % _GROUP:
            return f"K={in_features} is not a multiple of the group size {_GROUP}"
        return f"N={out_features} is not a multiple of {_CHANNELS}" if out_features % _CHANNELS else ""

    def linear(self, tensors: Mapping[str, torch.Tensor], bias: torch.Tensor | None) -> nn.Module:
        """The layer that multiplies with the parts, packed for the kernel."""
        load_operator("woq_int4", _SOURCE, _shape_of_result)
        return StreamInt4Linear(pack(tensors["weight"]), _pairs(tensors["scales"], tensors["zeros"]), bias)


class StreamInt4Linear(QuantisedLinear):
    """A Linear layer with int4 weights, through our kernel.

    Args:
        packed: uint8 [N, K/128, 64].
        scales: int32 [N, K/128]; zero point and scale, BF16 each, in one word.
        bias: [N], or none.
    """

    packed: torch.Tensor
    scales: torch.Tensor

    def __init__(self, packed: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__(packed.shape[0], packed.shape[1] * _GROUP, bias)
        self.register_buffer("packed", packed)
        self.register_buffer("scales", scales)

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """The product bf16 [M, N] with rows bf16 [M, K]."""
        product: torch.Tensor = torch.ops.xeonperf.woq_int4(rows, self.packed, self.scales, widens())
        return product


def pack(halves: torch.Tensor) -> torch.Tensor:
    """The kernel's layout uint8 [N, K/128, 64] from two weights a byte in plain order [N, K/2].

    A channel's group is 32 words of 16 bits: the four nibbles of word i hold the weights i, 32 + i, 64 + i and 96 + i.
    """
    channels, groups = halves.shape[0], 2 * halves.shape[1] // _GROUP
    packed = torch.empty(channels, groups, _GROUP // 2, dtype=torch.uint8)
    for rows in blocks_of_rows(channels):
        q = unpack(halves[rows]).reshape(-1, groups, 4, _GROUP // 4)  # [rows, groups, nibble, word] uint8
        low, high = q[:, :, 0] | q[:, :, 1] << 4, q[:, :, 2] | q[:, :, 3] << 4
        packed[rows] = torch.stack((low, high), dim=-1).flatten(-2)  # little-endian, as x86 is
    return packed


def _pairs(scales: torch.Tensor, zeros: torch.Tensor) -> torch.Tensor:
    """int32 [N, K/128] from [N, K/128] twice: the scale in the upper half of a word, the zero point below."""
    return torch.stack((zeros.bfloat16(), scales.bfloat16()), dim=-1).view(torch.int32)[..., 0].contiguous()


def _shape_of_result(x: torch.Tensor, packed: torch.Tensor, *_rest: object) -> torch.Tensor:
    return x.new_empty((x.shape[0], packed.shape[0]))
