"""What a workload is: a model that can be built, inputs for it, and phases that are timed apart.

Importing this module imports no torch: a workload is lazy, and nothing is built until a ladder needs it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.records import Score, Unknown

if TYPE_CHECKING:
    from torch import nn


class Attention(StrEnum):
    """How attention is computed: with the whole score matrix, by torch's fused kernel, or by one made for the model."""

    PLAIN = "plain"
    SDPA = "sdpa"
    FUSED = "fused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Arguments of one call, on the CPU, floating-point ones in FP32: a variant casts them to its dtype."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)


Step = Callable[[], object]
"""One timed call. What it returns (tensors in any nesting) is compared with the FP32 reference."""

Compiler = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What a variant does to the hot callable of a phase: nothing, or ``torch.compile``."""


def call_module(module: nn.Module, inputs: Inputs, compiler: Compiler) -> Step:
    """The step of a phase that just calls the module."""
    call = compiler(module)
    return lambda: call(*inputs.args, **inputs.kwargs)


def no_own_scores(reference: object, output: object) -> tuple[Score, ...]:  # noqa: ARG001 - the signature of a phase
    """A phase that has nothing to add to the scores every output gets (cosine, PSNR)."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What a phase needs before anything of it exists, from arithmetic alone.

    Attributes:
        parameters: Number of weights of the module the phase builds.
        activation_bytes: Peak of everything else in FP32 with plain attention, while a call runs.
        flop: Floating-point operations of one call.
        state_bytes: What stays between calls in FP32: caches of keys and values, and what a call returned.
        weight_passes: How often one call streams the weights, as `Phase` says too.
    """

    parameters: int
    activation_bytes: int
    flop: int
    state_bytes: int = 0
    weight_passes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of a model's work that is timed apart, such as ``prefill`` and ``decode``.

    Attributes:
        name: As the marker says it.
        item: One unit of work: ``token``, ``image``, ``step``, ``call``.
        items_per_call: Units of work in one timed call.
        weight_passes: How often one call streams the weights (a call that decodes 8 tokens: 8).
        build: Builds just the module this phase needs, in FP32 (or the checkpoint's dtype) and eval mode.
        inputs: Makes the same inputs on every call.
        bind: Turns a module, its inputs and the variant's compiler into the step that is timed. Called under
            ``torch.no_grad()``; the step is too. A step does the same work every time it is called.
        scores: Fidelity figures of this family, beside the cosine and PSNR that every output gets. Receives the
            outputs of the FP32 reference and of the variant, as the step returned them.
        stateful: Whether the hot callable keeps something between calls, such as a cache of keys and values.
        footprint: Needed memory and operations from arithmetic, or why nobody can say.
    """

    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[], Inputs]
    item: str = "call"
    items_per_call: int = 1
    weight_passes: int = 1
    bind: Callable[[nn.Module, Inputs, Compiler], Step] = call_module
    scores: Callable[[object, object], tuple[Score, ...]] = no_own_scores
    stateful: bool = False
    footprint: Footprint | Unknown = Unknown(reason="the workload gives no footprint")


def _no_build() -> nn.Module:
    raise UsageError("this workload builds nothing", remedy="pass build= or phases=")


def refuse_fused(module: nn.Module, attention: Attention) -> None:
    """For the attention switch of a family that has no kernel of its own.

    Raises:
        NotApplicableError: `attention` is fused.
    """
    if attention is Attention.FUSED:
        raise NotApplicableError(
            "no attention kernel was made for this model", where=type(module).__name__, remedy="use attention='sdpa'"
        )


def any_attention(module: nn.Module, attention: Attention) -> nn.Module:
    """The attention switch of any module, which changes what it knows: the parts that are transformers' or diffusers'.

    Models of transformers get ``set_attn_implementation("eager" or "sdpa")``, attentions of diffusers ``AttnProcessor``
    or ``AttnProcessor2_0``. Everything else attends as it was written, in every variant, and so does a model of
    transformers that has no fused attention, or does not let it be switched: give `Workload` your own `attention`.
    """
    refuse_fused(module, attention)
    for part in module.modules():
        set_implementation = getattr(part, "set_attn_implementation", None)
        if callable(set_implementation):
            with suppress(ValueError, ImportError):  # how transformers says that this model has no fused attention
                set_implementation("eager" if attention is Attention.PLAIN else "sdpa")
    if "diffusers.models.attention_processor" in sys.modules:  # else none of its attentions can be in the module
        from pytest_xeonperf.workloads.diffusion_attention import switch

        return switch(module, attention)
    return module


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class Workload:
    """A model with its phases.

    The short form names what to build and what to feed it, and gets one phase called ``forward``::

        Workload(name="my-encoder", build=MyEncoder, inputs=lambda: Inputs(args=(torch.randn(1, 64),)))

    Attributes:
        name: Identity in the history.
        phases: What can be timed; a `Phase` brings its own `build` and `inputs`.
        attention: Puts a built module into the asked-for kind of attention, in place or replaced. The default,
            `any_attention`, knows the parts of transformers and diffusers.
    """

    name: str
    phases: tuple[Phase, ...]
    attention: Callable[[nn.Module, Attention], nn.Module]

    def __init__(
        self,
        *,
        name: str,
        build: Callable[[], nn.Module] = _no_build,
        inputs: Callable[[], Inputs] = Inputs,
        phases: tuple[Phase, ...] = (),
        attention: Callable[[nn.Module, Attention], nn.Module] = any_attention,
    ) -> None:
        if not phases and build is _no_build:
            raise UsageError("neither build nor phases given", where=f"workload {name}", remedy="pass build=")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "phases", phases or (Phase(name="forward", build=build, inputs=inputs),))
        object.__setattr__(self, "attention", attention)

    def phase(self, name: str) -> Phase:
        """The phase of that name.

        Raises:
            UsageError: The workload has no such phase.
        """
        for phase in self.phases:
            if phase.name == name:
                return phase
        names = ", ".join(phase.name for phase in self.phases)
        raise UsageError(f"unknown phase {name!r}", where=f"workload {self.name}", remedy=f"use one of: {names}")
