"""The attention of diffusers' modules: its plain processor with the whole score matrix, or that of torch's kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.workloads.diffusion_modules import diffusers_part
from pytest_xeonperf.workloads.protocol import Attention, refuse_fused

if TYPE_CHECKING:
    from torch import nn


def switch(module: nn.Module, attention: Attention) -> nn.Module:
    """The same module with the processor of every attention in it set as asked; other instances are left alone.

    So are attentions for which the two processors do not compute the same: those with a processor of a third kind
    (SD3's and Flux's have two streams), without scaled scores, or with normalised queries and keys.
    """
    refuse_fused(module, attention)
    upstream = diffusers_part("models.attention_processor")
    pair = (upstream.AttnProcessor, upstream.AttnProcessor2_0)
    for part in module.modules():
        if not isinstance(part, upstream.Attention) or type(part.processor) not in pair:
            continue
        if part.scale_qk and part.norm_q is None and part.norm_k is None:
            part.set_processor(pair[0]() if attention is Attention.PLAIN else pair[1]())
    return module
