"""A language model's attention through kernels of our own: one query, as in decoding, or a prompt into an empty cache.

Torch's makes a matrix product of a single query's row: 0.6 ms a layer of Llama-2-7b over 136 tokens, where keys and
values can be read in 0.1. The kernel (``llm_attention.cpp``) reads them where they lie in the cache. A prompt goes
through `tiled_attention`, and what neither was made for, a query in FP32 among it, through torch's, as does one in BF16
on a processor without instructions for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.extension import load_operator
from pytest_xeonperf.records import Isa
from pytest_xeonperf.workloads import tiled_attention
from pytest_xeonperf.workloads.arithmetic import BF16_INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

_SOURCE = Path(__file__).with_name("llm_attention.cpp")
_WIDTH_MULTIPLE = 32


def require(module: nn.Module) -> None:
    """Load the kernels for a model.

    Raises:
        NotApplicableError: The processor lacks AVX-512, there is no compiler, or a head's width is none of the
            kernel's.
    """
    given: Any = module.config
    config = given.get_text_config()
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if width % _WIDTH_MULTIPLE:
        raise NotApplicableError(
            f"heads of {width} channels: the kernel is for multiples of {_WIDTH_MULTIPLE}",
            where=type(module).__name__,
            remedy="use attention='sdpa'",
        )
    tiled_attention.load()
    load_operator("decode_attention", _SOURCE, tiled_attention.shape_of_result, Isa.AVX512)


def forward(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    **rest: Any,
) -> tuple[torch.Tensor, None]:
    """``sdpa_attention_forward`` through our kernels, where they were made for it.

    Args:
        module: Whose attention this is.
        query: [B, H, T, D].
        key: [B, KV, L, D], as the cache holds it.
        value: The same.
        attention_mask: bool [B, 1, T, L], or none.
        scaling: Of scores; ``D ** -0.5`` where it is not given.
        rest: For torch's.
    """
    if _is_plain(query, key, value, rest):
        if query.shape[2] == 1 and _is_for_one_query(query) and _is_shared(attention_mask, key):
            scale = query.shape[3] ** -0.5 if scaling is None else scaling
            return torch.ops.xeonperf.decode_attention(query, key, value, attention_mask, scale), None
        if query.shape[2] > 1 and attention_mask is None:
            asked = rest.get("is_causal")
            causal = getattr(module, "is_causal", True) if asked is None else asked
            return tiled_attention.attend(query, key, value, causal=causal, scale=scaling), None
    attended: tuple[torch.Tensor, None] = sdpa_attention_forward(
        module, query, key, value, attention_mask, scaling=scaling, **rest
    )
    return attended


def _is_plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rest: Mapping[str, Any]) -> bool:
    """Whether scores are all there is, for as many queries as keys in a batch, wide as the values."""
    bare = not rest.get("dropout") and all(rest.get(name) is None for name in ("softcap", "position_bias", "s_aux"))
    alike = query.shape[0] == key.shape[0] and query.shape[3] == value.shape[3] and query.dtype is key.dtype
    dense = all(each.stride(3) == 1 for each in (query, key, value))
    return bare and alike and dense and tiled_attention.takes(query.shape[3], query.dtype)


def _is_for_one_query(query: torch.Tensor) -> bool:
    return BF16_INSTRUCTIONS and query.dtype is torch.bfloat16 and query.shape[3] % _WIDTH_MULTIPLE == 0


def _is_shared(mask: torch.Tensor | None, key: torch.Tensor) -> bool:
    """Whether a mask, or none, says of each key whether all heads see it."""
    return mask is None or (mask.dtype is torch.bool and mask.shape == (key.shape[0], 1, 1, key.shape[2]))
