"""Streamed: FP32 arithmetic on weights that stay where they are, one layer at a time. Slow, small, for references.

A model of 7 billion weights takes 25 GiB in FP32. Its weights lie in a file in BF16 and are only mapped; here each
layer casts its own when it is called and has the stored ones back when it returns, so that little more than the
largest layer exists in FP32 and the kernel may drop the pages behind it. The result is that of the whole model in FP32.

Linear layers and embeddings, which have nearly all of the weights, cast into the same memory one after the other: new
memory is cleared by the kernel first, and for every layer and token that took longer than their products.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from pytest_xeonperf.variants.weight_only import replace_layers
from pytest_xeonperf.workloads.precision import keeps_dtype
from pytest_xeonperf.workloads.quantised_linear import StoredLinear

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.variants.weight_only import Technique
    from pytest_xeonperf.workloads.quantised_linear import Scheme

_PLAIN = (nn.Linear, nn.Embedding)
"""Layers that are done with their weight when the next one is called, and return no view of it."""


def stream_fp32(module: nn.Module, technique_of: Callable[[Scheme], Technique]) -> nn.Module:
    """The same module, its forward in FP32 whatever its weights are stored as; layers stored quantised included.

    Weights that are FP32 already are left alone. Buffers, which are small, are cast once. Works on modules that are
    called, as a parent that reads a layer's weight past the layer gets it as it is stored.

    Args:
        module: Changed in place, unless it is itself a layer that is stored quantised.
        technique_of: How layers that a checkpoint stores quantised are turned back.
    """

    def restored(_name: str, layer: nn.Module, _parent: nn.Module) -> nn.Module:
        return _Restoring(layer, technique_of(layer.scheme)) if isinstance(layer, StoredLinear) else layer

    streamed, _count = replace_layers(module, restored)
    scratch = _Scratch()
    for owner in streamed.modules():
        if keeps_dtype(owner):
            continue
        for name, buffer in list(owner.named_buffers(recurse=False)):
            if _is_narrow(buffer):
                setattr(owner, name, buffer.float())
        if any(map(_is_narrow, owner.parameters(recurse=False))):
            is_plain = type(owner) in _PLAIN and "forward" not in vars(owner)
            owner.register_forward_pre_hook(partial(_widen, wide=scratch.wide if is_plain else torch.Tensor.float))
            owner.register_forward_hook(_narrow, always_call=True)
    return streamed


def _is_narrow(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() and tensor.dtype is not torch.float32


@dataclass(slots=True)
class _Scratch:
    """Memory for one weight in FP32; grows to the largest that was asked for."""

    memory: torch.Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.float32))

    def wide(self, weight: torch.Tensor) -> torch.Tensor:
        """The same values in FP32, until the next weight is asked for."""
        if self.memory.numel() < weight.numel():
            self.memory = torch.empty(0, dtype=torch.float32)  # let go of the smaller one first
            with torch.inference_mode(mode=False):  # a caller's mode is not for the next one
                self.memory = torch.empty(weight.numel(), dtype=torch.float32)
        return self.memory[: weight.numel()].view(weight.shape).copy_(weight)


def _widen(owner: nn.Module, _args: Any, *, wide: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Put FP32 copies in the place of a layer's own weights, that of its ``weight`` by `wide`; keep those at hand."""
    stored = {name: weight.data for name, weight in owner.named_parameters(recurse=False) if _is_narrow(weight)}
    owner.__dict__["_stored"] = stored
    for name, weight in stored.items():
        owner.get_parameter(name).data = wide(weight) if name == "weight" else weight.float()


def _narrow(owner: nn.Module, _args: Any, _output: Any) -> None:
    """Undo that."""
    for name, weight in owner.__dict__.pop("_stored").items():
        owner.get_parameter(name).data = weight


class _Restoring(nn.Module):
    """A layer that is stored quantised: the weight [N, K] fp32 exists only while it multiplies."""

    def __init__(self, stored: StoredLinear, technique: Technique) -> None:
        super().__init__()
        self.stored = stored
        self.technique = technique

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bias = self.stored.bias
        weight = self.technique.dequantise(self.stored.tensors)
        return functional.linear(x, weight, None if bias is None else bias.float())
