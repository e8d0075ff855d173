"""The attention of diffusers' modules: with the whole score matrix, by torch's kernel, or by ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.workloads.diffusion_fused import FusedProcessor
from pytest_xeonperf.workloads.diffusion_modules import diffusers_part
from pytest_xeonperf.workloads.protocol import Attention

if TYPE_CHECKING:
    from torch import nn


def switch(module: nn.Module, attention: Attention) -> nn.Module:
    """The same module with the processor of every attention in it set as asked; other instances are left alone.

    So are attentions for which the processors do not compute the same: those with a processor of another kind (SD3's
    and Flux's have two streams), without scaled scores, or with normalised queries and keys.

    Raises:
        NotApplicableError: `attention` is fused, and the kernel is not to be had.
    """
    upstream = diffusers_part("models.attention_processor")
    processors = {
        Attention.PLAIN: upstream.AttnProcessor,
        Attention.SDPA: upstream.AttnProcessor2_0,
        Attention.FUSED: FusedProcessor,
    }
    for part in module.modules():
        if not isinstance(part, upstream.Attention) or type(part.processor) not in processors.values():
            continue
        if part.scale_qk and part.norm_q is None and part.norm_k is None:
            part.set_processor(processors[attention]())
    return module
