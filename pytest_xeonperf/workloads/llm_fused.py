"""A language model's attention for a single query, as in decoding, through a kernel of our own.

Torch's makes a matrix product of each head's single row: 0.6 ms a layer of Llama-2-7b over 136 tokens, where keys and
values can be read in 0.1. The kernel (``llm_attention.cpp``) reads them where they lie in the cache. More queries than
one, as in prefill, and what else it was not made for, go through torch's attention.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.extension import load_operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

_SOURCE = Path(__file__).with_name("llm_attention.cpp")
_WIDTH_MULTIPLE = 32


def require(module: nn.Module) -> None:
    """Load the kernel for a model.

    Raises:
        NotApplicableError: The processor lacks AVX512_BF16, there is no compiler, or a head's width is none of the
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
    load_operator("decode_attention", _SOURCE, _shape_of_result)


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
    """``sdpa_attention_forward``, one query through our kernel.

    Args:
        module: Whose attention this is.
        query: [B, H, T, D].
        key: [B, KV, L, D], as the cache holds it.
        value: The same.
        attention_mask: bool [B, 1, T, L], or none.
        scaling: Of scores; ``D ** -0.5`` where it is not given.
        rest: For torch's.
    """
    if not _is_for_kernel(query, key, value, attention_mask, rest):
        attended: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **rest
        )
        return attended
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return torch.ops.xeonperf.decode_attention(query, key, value, attention_mask, scale), None


def _is_for_kernel(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, rest: Mapping[str, Any]
) -> bool:
    """Whether it is one query in BF16, as wide as the values, with a mask that all heads share, and nothing else."""
    batch, _heads, queries, width = query.shape
    masked = mask is None or (mask.dtype is torch.bool and mask.shape == (batch, 1, 1, key.shape[2]))
    plain = not rest.get("dropout") and all(rest.get(name) is None for name in ("softcap", "position_bias"))
    return queries == 1 and query.dtype is torch.bfloat16 and width == value.shape[3] and masked and plain


def _shape_of_result(query: torch.Tensor, *_rest: object) -> torch.Tensor:
    batch, heads, _one, width = query.shape
    return query.new_empty((batch, 1, heads, width))
