"""W8A16: weights in int8 with one BF16 scale for each output channel, activations in BF16.

Quantisation is symmetric, to nearest: ``w[n, k] = q[n, k] * scale[n]``, q from -127 to 127. Decoding reads half the
bytes of BF16. The kernel is ATen's ``_weight_int8pack_mm``; nothing is packed in spite of its name. It multiplies four
rows of activations at a time and is made for few of them.

The kernel's limit is not checked by torch: in BF16 it reads 16 weights at once, and a width that is not a multiple of
16 takes the process down. Such layers are left in BF16, and refused where a checkpoint stores them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.variants.weight_only import QuantisedLinear, blocks_of_rows
from pytest_xeonperf.workloads.quantised_linear import Scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

_K_MULTIPLE = 16
_LARGEST = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class Int8:
    """The technique: how a weight is quantised, and which layer multiplies with it."""

    @property
    def scheme(self) -> Scheme:
        """Its identity in a checkpoint."""
        return Scheme(woq="int8")

    def refusal(self, *, out_features: int, in_features: int) -> str:  # noqa: ARG002 - any N will do
        """Why the kernel cannot take a layer of these widths; empty where it can."""
        return f"K={in_features} is not a multiple of {_K_MULTIPLE}" if in_features % _K_MULTIPLE else ""

    def flaw(self, tensors: Mapping[str, torch.Tensor]) -> str:
        """Why parts that somebody stored are none the kernel can take; empty where they are."""
        if set(tensors) != {"weight", "scales"}:
            return f"its parts are {', '.join(sorted(tensors)) or 'none'}, not scales, weight"
        weight, scales = tensors["weight"], tensors["scales"]
        if weight.dtype != torch.int8 or weight.dim() != 2 or scales.shape != weight.shape[:1]:  # noqa: PLR2004 - [N, K]
            return (
                f"weight is {weight.dtype} {list(weight.shape)} and scales {list(scales.shape)}, not torch.int8 [N, K] "
                f"and [N]"
            )
        return self.refusal(out_features=weight.shape[0], in_features=weight.shape[1])

    def quantise(self, weight: torch.Tensor) -> dict[str, torch.Tensor]:
        """``weight`` int8 [N, K] and ``scales`` bf16 [N] for a weight [N, K] of any floating-point dtype."""
        quantised = torch.empty(weight.shape, dtype=torch.int8)
        scales = torch.empty(weight.shape[0], dtype=torch.bfloat16)
        for rows in blocks_of_rows(weight.shape[0]):
            block = weight[rows].float()
            scale = (block.abs().amax(dim=1) / _LARGEST).bfloat16()
            scales[rows] = torch.where(scale > 0, scale, 1)  # a row of zeros
            # Divided by the rounded scale, the one that the kernel multiplies with.
            quantised[rows] = (block / scales[rows, None].float()).round_().clamp_(-_LARGEST, _LARGEST)
        return {"weight": quantised, "scales": scales}

    def dequantise(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weight [N, K] fp32 that the parts stand for."""
        return tensors["weight"].float() * tensors["scales"].float()[:, None]

    def linear(self, tensors: Mapping[str, torch.Tensor], bias: torch.Tensor | None) -> nn.Module:
        """The layer that multiplies with the parts."""
        return WOQInt8Linear(tensors["weight"], tensors["scales"], bias)


class WOQInt8Linear(QuantisedLinear):
    """A Linear layer with int8 weights, through ATen's kernel.

    Args:
        weight: int8 [N, K], K a multiple of 16.
        scales: bf16 [N].
        bias: [N], or none.

    Raises:
        DataError: The kernel would take the process down with these widths.
    """

    quantised: torch.Tensor
    scales: torch.Tensor

    def __init__(self, weight: torch.Tensor, scales: torch.Tensor, bias: torch.Tensor | None) -> None:
        flaw = Int8().flaw({"weight": weight, "scales": scales})
        if flaw:
            raise DataError(flaw, where="a layer of int8 weights", remedy="leave this layer in BF16")
        super().__init__(weight.shape[0], weight.shape[1], bias)
        self.register_buffer("quantised", weight.clone(memory_format=torch.contiguous_format))
        self.register_buffer("scales", scales.clone())

    def multiply(self, rows: torch.Tensor) -> torch.Tensor:
        """The product bf16 [M, N] with rows bf16 [M, K]."""
        product: torch.Tensor = torch.ops.aten._weight_int8pack_mm(rows, self.quantised, self.scales)  # noqa: SLF001 - its name
        return product
