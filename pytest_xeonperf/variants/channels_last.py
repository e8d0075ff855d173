"""Channels last: images with the channels of a pixel side by side, as oneDNN's convolutions and norms want them.

The numbers stay the same; only their order in memory changes, of the weights of convolutions and of inputs that are
images. Between them every operator keeps the order it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.utils import _pytree as pytree

from pytest_xeonperf.workloads.protocol import Inputs

if TYPE_CHECKING:
    from torch import nn

_IMAGE_DIMENSIONS = 4  # [B, C, H, W]


def lay_out_module(module: nn.Module) -> nn.Module:
    """The same module, its four-dimensional weights [out, in, height, width] with channels last; in place."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def lay_out_inputs(inputs: Inputs) -> Inputs:
    """The same arguments, images with channels last, in whatever tuples, lists and dicts they are nested."""

    def lay_out(leaf: object) -> object:
        if isinstance(leaf, torch.Tensor) and leaf.dim() == _IMAGE_DIMENSIONS:
            return leaf.contiguous(memory_format=torch.channels_last)
        return leaf

    return Inputs(args=pytree.tree_map(lay_out, inputs.args), kwargs=pytree.tree_map(lay_out, inputs.kwargs))
