"""Compiled: the hot callable of a phase through ``torch.compile`` and Inductor's C++ backend."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_xeonperf.workloads.protocol import Compiler


def compiler() -> Compiler:
    """What compiles the hot callable of one variant.

    Shapes are static, since a phase has only one. Graph breaks are allowed, counted and shown. Each call keeps its
    compilations apart: variants of one ladder share the model's code, and would else push each other over Dynamo's
    limit of eight recompilations, after which it goes on in eager mode without a word.
    """
    with warnings.catch_warnings():
        # Inductor's import defines TorchScript methods, which torch itself has deprecated.
        warnings.filterwarnings("ignore", message="`torch.jit.script_method`", category=DeprecationWarning)
        import torch._inductor.compile_fx
    return functools.partial(torch.compile, dynamic=False, fullgraph=False, isolate_recompiles=True)
