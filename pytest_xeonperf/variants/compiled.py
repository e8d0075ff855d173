"""Compiled: the hot callable of a phase through ``torch.compile`` and Inductor's C++ backend."""

from __future__ import annotations

import functools
import warnings
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.variants import autotuned
from pytest_xeonperf.variants.frozen_cache import packed_weights_by_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_xeonperf.workloads.protocol import Compiler


def compiler(*, freeze: bool = False, cpp_wrapper: bool = False, autotune: bool = False) -> Compiler:
    """What compiles the hot callable of one variant.

    With `freeze`, weights are constants of the compiled code: those of linear layers and convolutions are packed for
    oneDNN once, instead of at every call. It costs compile time for each layer, and memory for the packed copies.
    With `cpp_wrapper`, the calls of kernels are compiled too: no Python between them, and a longer compilation.
    With `autotune`, Inductor's own matrix products are tried against oneDNN's: see `variants/autotuned.py`.

    Shapes are static, since a phase has only one. Graph breaks are allowed, counted and shown. Each call keeps its
    compilations apart: variants of one ladder share the model's code, and would else push each other over Dynamo's
    limit of eight recompilations, after which it goes on in eager mode without a word.
    """
    with warnings.catch_warnings():
        # Inductor's import defines TorchScript methods, which torch itself has deprecated.
        warnings.filterwarnings("ignore", message="`torch.jit.script_method`", category=DeprecationWarning)
        import torch._inductor.compile_fx
    through: Compiler = functools.partial(torch.compile, dynamic=False, fullgraph=False, isolate_recompiles=True)
    settings: dict[str, object] = {"freezing": freeze, "cpp_wrapper": cpp_wrapper}
    if autotune:
        settings |= autotuned.SETTINGS
        through = autotuned.quietly(through)
    return (lambda call: _under(settings, through(call))) if any(settings.values()) else through


def _under(settings: Mapping[str, object], compiled: Callable[..., Any]) -> Callable[..., Any]:
    """The callable under settings of Inductor: Dynamo asks for them while it traces, which is at the first call."""
    import torch._inductor.config

    caching = packed_weights_by_shape if settings["freezing"] else nullcontext

    def call(*args: Any, **kwargs: Any) -> Any:
        with torch._inductor.config.patch(dict(settings)), caching():  # noqa: SLF001 - the documented place of its settings
            return compiled(*args, **kwargs)

    return call
