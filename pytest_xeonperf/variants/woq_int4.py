"""W4A16: weights in int4 with one BF16 scale and zero point for each group, activations in BF16.

A group is 32, 64 or 128 neighbouring weights of one output channel. Quantisation is asymmetric, to nearest, with q
from 0 to 15 and the zero point in the middle, as the kernel defines it: ``w = (q - 8) * scale + zero``. That is 5, 4.5
or 4.25 bits a weight; decoding reads little more than a quarter of BF16's bytes. The kernel is ATen's
``_weight_int4pack_mm_for_cpu``, as in the int4 path of gpt-fast (https://github.com/pytorch-labs/gpt-fast).

It takes weights in a packed layout that depends on the instruction set (blocks of 64 output channels with AVX-512, of
32 with AVX2), so checkpoints hold them unpacked, two to a byte, and they are packed here on the machine that runs
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from pytest_xeonperf.variants.weight_only import QuantisedLinear, blocks_of_rows
from pytest_xeonperf.workloads.quantised_linear import Scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

_N_MULTIPLE = 16
_LARGEST = 15
_MIDDLE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Int4:
    """The technique: how a weight is quantised, and which layer multiplies with it."""

    group_size: int

    @property
    def scheme(self) -> Scheme:
        """Its identity in a checkpoint."""
        return Scheme(woq="int4", group_size=self.group_size)

    def refusal(self, *, out_features: int, in_features: int) -> str:
        """Why the kernel cannot take a layer of these widths; empty where it can."""
        if in_features % self.group_size:
            return f"K={in_features} is not a multiple of the group size {self.group_size}"
        return f"N={out_features} is not a multiple of {_N_MULTIPLE}" if out_features % _N_MULTIPLE else ""

    def flaw(self, tensors: Mapping[str, torch.Tensor]) -> str:
        """Why parts that somebody stored are none the kernel can take; empty where they are."""
        if set(tensors) != {"weight", "scales", "zeros"}:
            return f"its parts are {', '.join(sorted(tensors)) or 'none'}, not scales, weight, zeros"
        weight = tensors["weight"]
        if weight.dtype != torch.uint8 or weight.dim() != 2:  # noqa: PLR2004 - [N, K/2]
            return f"weight is {weight.dtype} {list(weight.shape)}, not torch.uint8 [N, K/2]"
        channels, width = weight.shape[0], 2 * weight.shape[1]
        for part in ("scales", "zeros"):
            if tensors[part].shape != (channels, width // self.group_size):
                shape = list(tensors[part].shape)
                return f"{part} are {shape} for N={channels}, K={width}, not [N, K/{self.group_size}]"
        return self.refusal(out_features=channels, in_features=width)

    def quantise(self, weight: torch.Tensor) -> dict[str, torch.Tensor]:
        """``weight`` uint8 [N, K/2], ``scales`` and ``zeros`` bf16 [N, K/group] for a weight [N, K] of any float dtype.

        A byte holds an even column in its low half and the odd one after it in its high half.
        """
        channels, width = weight.shape
        groups = width // self.group_size
        halves = torch.empty(channels, width // 2, dtype=torch.uint8)
        scales = torch.empty(channels, groups, dtype=torch.bfloat16)
        zeros = torch.empty_like(scales)
        for rows in blocks_of_rows(channels):
            block = weight[rows].float().reshape(-1, groups, self.group_size)
            low, high = block.aminmax(dim=-1)  # [rows, groups] fp32
            scale = ((high - low) / _LARGEST).bfloat16()
            scales[rows] = torch.where(scale > 0, scale, 1)  # a group of equal weights
            zeros[rows] = torch.where(scale > 0, low + _MIDDLE * scale.float(), low).bfloat16()
            # Measured from the rounded scale and zero, the ones that the kernel uses.
            q = (block - zeros[rows, :, None].float()).div_(scales[rows, :, None].float()).add_(_MIDDLE)
            q = q.round_().clamp_(0, _LARGEST).to(torch.uint8).reshape(-1, width)
            halves[rows] = q[:, ::2] | q[:, 1::2] << 4
        return {"weight": halves, "scales": scales, "zeros": zeros}

    def dequantise(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weight [N, K] fp32 that the parts stand for."""
        scales, zeros = tensors["scales"].float()[..., None], tensors["zeros"].float()[..., None]
        q = unpack(tensors["weight"]).float().reshape(*scales.shape[:2], self.group_size)  # [N, groups, group size]
        return ((q - _MIDDLE) * scales + zeros).reshape(len(q), -1)

    def linear(self, tensors: Mapping[str, torch.Tensor], bias: torch.Tensor | None) -> nn.Module:
        """The layer that multiplies with the parts, packed for this machine."""
        scales_and_zeros = torch.stack((tensors["scales"], tensors["zeros"]), dim=-1)  # [N, K/group, 2] bf16
        return WOQInt4Linear(
            pack(tensors["weight"]), scales_and_zeros.transpose(0, 1).contiguous(), bias, group_size=self.group_size
        )


class WOQInt4Linear(QuantisedLinear):
    """A Linear layer with int4 weights, through ATen's kernel.

    Args:
        packed: uint8 [N, K/2] in the layout of this machine's kernel.
        scales_and_zeros: bf16 [K/group, N, 2].
        bias: [N], or none.
        group_size: Weights that share a scale.
    """

    packed: torch.Tensor
    scales_and_zeros: torch.Tensor

    def __init__(
        self, packed: torch.Tensor, scales_and_zeros: torch.Tensor, bias: torch.Tensor | None, *, group_size: int
    ) -> None:
        super().__init__(scales_and_zeros.shape[1], scales_and_zeros.shape[0] * group_size, bias)
        self.group_size = group_size
        self.register_buffer("packed", packed)
        self.register_buffer("scales_and_zeros", scales_and_zeros)

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """The product bf16 [M, N] with rows bf16 [M, K]."""
        product: torch.Tensor = torch.ops.aten._weight_int4pack_mm_for_cpu(  # noqa: SLF001 - its name
            rows, self.packed, self.group_size, self.scales_and_zeros
        )
        return product


def pack(halves: torch.Tensor) -> torch.Tensor:
    """The kernel's layout uint8 [N, K/2] on this machine, from two weights a byte in plain order [N, K/2]."""
    packed = torch.empty_like(halves)
    for rows in blocks_of_rows(halves.shape[0]):
        q = unpack(halves[rows]).int()  # the packing kernel takes int32 [rows, K]; its second argument is for GPUs
        packed[rows] = torch.ops.aten._convert_weight_to_int4pack_for_cpu(q, 1)  # noqa: SLF001 - its public name
    return packed


def unpack(halves: torch.Tensor) -> torch.Tensor:
    """One weight a byte uint8 [N, K], from two weights a byte [N, K/2]."""
    return torch.stack((halves & _LARGEST, halves >> 4), dim=-1).flatten(-2)
