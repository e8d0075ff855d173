"""BF16 linear layers through a kernel of our own, which decodes as fast as the weights can be read.

Weights stay where and as they are. Up to sixteen rows of activations go through the kernel (``stream_bf16.cpp``); more,
as in prefill, through torch's own linear.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from pytest_xeonperf.host.extension import load_operator
from pytest_xeonperf.variants.weight_only import replace_or_list, structural_refusal

_SOURCE = Path(__file__).with_name("stream_bf16.cpp")
_CHANNELS = 4
_STEP = 32
_MOST_ROWS = 16


class StreamLinear(nn.Module):
    """A Linear layer with BF16 weights, through our kernel: x [..., K] bf16 to [..., N] bf16.

    Args:
        weight: bf16 [N, K], shared with the layer that this one stands for.
        bias: bf16 [N], or none.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        self.register_parameter("weight", cast("nn.Parameter", weight))
        self.register_parameter("bias", cast("nn.Parameter | None", bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The product, with the bias added after the kernel, which has none."""
        rows = x.reshape(-1, self.in_features)
        if rows.shape[0] > _MOST_ROWS:
            return functional.linear(x, self.weight, self.bias)
        product: torch.Tensor = torch.ops.xeonperf.linear_bf16(rows.contiguous(), self.weight)
        product = product.reshape(*x.shape[:-1], self.out_features)
        return product if self.bias is None else product + self.bias


def stream_linears(module: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """The module with each Linear layer going through the kernel, and those that cannot, by name with the reason.

    Args:
        module: In BF16. Changed in place, unless it is a Linear layer itself.

    Raises:
        NotApplicableError: No layer can.
    """

    def replace(_name: str, layer: nn.Module, parent: nn.Module) -> nn.Module | str:
        linear = cast("nn.Linear", layer)
        reason = structural_refusal(linear, parent) or _refusal(linear)
        return reason or StreamLinear(linear.weight, linear.bias)

    streaming, left = replace_or_list(
        module,
        replace,
        kinds=(nn.Linear,),
        none="no Linear layer that our BF16 kernel can take",
        remedy="leave kernel='stream' out",
    )
    load_operator("linear_bf16", _SOURCE, _shape_of_result)
    return streaming, left


def _refusal(layer: nn.Linear) -> str:
    if layer.weight.dtype is not torch.bfloat16:
        return f"its weights are {layer.weight.dtype}"
    if not layer.weight.is_contiguous():
        return "its weights are not contiguous"
    if layer.in_features % _STEP:
        return f"K={layer.in_features} is not a multiple of {_STEP}"
    return f"N={layer.out_features} is not a multiple of {_CHANNELS}" if layer.out_features % _CHANNELS else ""


def _shape_of_result(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return x.new_empty((x.shape[0], weight.shape[0]))
