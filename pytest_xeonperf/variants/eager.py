"""Eager: a dtype, and nothing else. The baseline of every ladder, and what the other techniques start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.utils import _pytree as pytree

from pytest_xeonperf.variants.spec import Dtype
from pytest_xeonperf.workloads.precision import keeps_dtype
from pytest_xeonperf.workloads.protocol import Inputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

TORCH_DTYPES = {Dtype.FP32: torch.float32, Dtype.BF16: torch.bfloat16}


def uncompiled(call: Callable[..., Any]) -> Callable[..., Any]:
    """The hot callable of a phase as it is."""
    return call


def cast_module(module: nn.Module, dtype: Dtype) -> nn.Module:
    """The same module, its floating-point parameters and buffers in `dtype` and in memory of this process's own.

    Converts tensor by tensor, so that never more than one of them exists twice. Also copies what has the dtype
    already: weights mapped from a file are read through small pages, those that a cast made through large ones, and
    the two would not be a fair pair. Tied parameters stay tied; modules marked by `keep_dtype` and complex tables are
    left alone.
    """
    done: set[int] = set()
    for owner in module.modules():
        kept = keeps_dtype(owner)
        for parameter in owner.parameters(recurse=False):
            if parameter.is_floating_point() and id(parameter) not in done:
                done.add(id(parameter))
                wanted = parameter.dtype if kept else TORCH_DTYPES[dtype]
                parameter.data = parameter.data.to(wanted, copy=True)
        for name, buffer in list(owner.named_buffers(recurse=False)):
            if buffer.is_floating_point() and not kept:
                setattr(owner, name, buffer.to(TORCH_DTYPES[dtype], copy=True))
    return module


def cast_inputs(inputs: Inputs, dtype: Dtype) -> Inputs:
    """The same arguments, floating-point tensors in `dtype`, in whatever tuples, lists and dicts they are nested."""

    def cast(leaf: object) -> object:
        if isinstance(leaf, torch.Tensor) and leaf.is_floating_point():
            return leaf.to(TORCH_DTYPES[dtype])
        return leaf

    return Inputs(args=pytree.tree_map(cast, inputs.args), kwargs=pytree.tree_map(cast, inputs.kwargs))
