"""Which attention a language model uses, and the mask that a compiled prefill can do without.

Eager transformers sees that a prompt comes into an empty cache, and leaves causality to torch's kernel, which then
skips half of the work. While it is traced it cannot read how full the cache is, and builds a mask instead, with which
the kernel computes every score. Our steps always put more than one token into an empty cache (see `llm_steps`), so the
mask is made as for position 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.workloads import llm_fused
from pytest_xeonperf.workloads.protocol import Attention

if TYPE_CHECKING:
    import torch
    from torch import nn

_NAMES = {Attention.PLAIN: "eager", Attention.SDPA: "xeonperf_sdpa", Attention.FUSED: "xeonperf_fused_sdpa"}
"""With "sdpa" in them, so that transformers refuses both for models whose attention torch's is not."""


def switch(module: nn.Module, attention: Attention) -> nn.Module:
    """Switch a model's attention, in place.

    Raises:
        NotApplicableError: `attention` is fused, and the kernel is not to be had, or not made for this model.
    """
    if attention is Attention.FUSED:
        llm_fused.require(module)
    for kind, forward in ((Attention.SDPA, sdpa_attention_forward), (Attention.FUSED, llm_fused.forward)):
        AttentionInterface.register(_NAMES[kind], forward)
        AttentionMaskInterface.register(_NAMES[kind], _mask_from_an_empty_cache)
    module.set_attn_implementation(_NAMES[attention])  # type: ignore[operator]
    config: Any = module.config
    if attention is Attention.FUSED and config._attn_implementation != _NAMES[attention]:  # noqa: SLF001 - no public way
        raise NotApplicableError(  # transformers has only logged it
            "this model's attention cannot be switched", where=type(module).__name__, remedy="use attention='plain'"
        )
    return module


def _mask_from_an_empty_cache(*args: Any, **kwargs: Any) -> torch.Tensor | None:
    """The mask of torch's attention, bool [B, 1, Q, K]; none where it can be causal by itself."""
    if kwargs.get("q_length", 1) > 1:
        kwargs["q_offset"] = 0
    mask: torch.Tensor | None = sdpa_mask(*args, **kwargs)
    return mask
