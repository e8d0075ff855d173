"""Attention of the mask decoder's image to the few tokens of a prompt, through a kernel of our own.

Torch's takes 7 ms for what 4,096 places of an image have to do with eight tokens, four prompts at once; the kernel
(``sam_few_keys.cpp``) takes one. What looks the other way, a few queries at many keys, is left to torch, and so are
FP32, and BF16 on a processor without instructions for it.
"""

from __future__ import annotations

from pathlib import Path

import torch

from pytest_xeonperf.host.extension import load_operator
from pytest_xeonperf.records import Isa
from pytest_xeonperf.workloads.arithmetic import BF16_INSTRUCTIONS

_SOURCE = Path(__file__).with_name("sam_few_keys.cpp")
_MOST_KEYS = 64


def load() -> None:
    """Load the kernel.

    Raises:
        NotApplicableError: The processor lacks AVX-512, or there is no compiler.
    """
    load_operator("few_keys_attention", _SOURCE, _shape_of_result, Isa.AVX512)


def takes(query: torch.Tensor, key: torch.Tensor, heads: int) -> bool:
    """Whether the kernel was made for a query [B, Q, C] and keys [B, K, C] of so many heads."""
    few = query.shape[0] == key.shape[0] and 0 < key.shape[1] <= _MOST_KEYS
    return BF16_INSTRUCTIONS and few and key.shape[2] % (2 * heads) == 0 and key.dtype is torch.bfloat16


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, heads: int) -> torch.Tensor:
    """Bf16 [B, Q, C] from a query of that shape, and keys and values [B, K, C]; a head has C / heads channels."""
    scale = (query.shape[2] // heads) ** -0.5
    attended: torch.Tensor = torch.ops.xeonperf.few_keys_attention(
        query.contiguous(), key.contiguous(), value.contiguous(), heads, scale
    )
    return attended


def _shape_of_result(query: torch.Tensor, *_rest: object) -> torch.Tensor:
    return query.new_empty(query.shape)
