"""SDXL's attention: diffusers' own processors, the plain one with the whole score matrix or torch's fused kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.workloads.diffusion_modules import diffusers_part
from pytest_xeonperf.workloads.protocol import Attention

if TYPE_CHECKING:
    from torch import nn


def switch(module: nn.Module, attention: Attention) -> nn.Module:
    """The same module with the processor of every attention in it set as asked; other instances are left alone."""
    upstream = diffusers_part("models.attention_processor")
    for part in module.modules():
        if isinstance(part, upstream.Attention):
            plain = attention is Attention.PLAIN
            part.set_processor(upstream.AttnProcessor() if plain else upstream.AttnProcessor2_0())
    return module
