"""Attention between many tokens through a kernel of our own (``tiled_attention.cpp``), without a mask or causal.

In BF16, in FP32, or on BF16 tensors in FP32 or in bytes, for processors that multiply these faster. On two cores of a
processor without AMX a layer of SDXL's UNet over 4,096 tokens takes torch's kernel 305 ms in BF16, ours 119; a causal
layer of Llama-2-7b over 1,024 tokens 74 and 26. On one whose BF16 is slow, that layer of the UNet takes ours 159 ms in
FP32 and 82 in bytes.
"""

from __future__ import annotations

from pathlib import Path

import torch

from pytest_xeonperf.host.extension import load_operator
from pytest_xeonperf.records import Isa
from pytest_xeonperf.workloads.arithmetic import products_of, widens

_SOURCE = Path(__file__).with_name("tiled_attention.cpp")
_WIDTH_MULTIPLE = 16


def load() -> None:
    """Load the kernel.

    Raises:
        NotApplicableError: The processor lacks AVX-512, or there is no compiler.
    """
    for name in ("tiled_attention", "tiled_attention_int8"):
        load_operator(name, _SOURCE, shape_of_result, Isa.AVX512)


def takes(width: int, dtype: torch.dtype) -> bool:
    """Whether the kernel was made for heads of so many channels."""
    return dtype in {torch.bfloat16, torch.float32} and width % _WIDTH_MULTIPLE == 0


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, *, causal: bool = False, scale: float | None = None
) -> torch.Tensor:
    """[B, Q, H, D] from a query [B, H, Q, D], and keys and values [B, KV, K, D].

    Args:
        query: Its channels side by side, as those of the keys and values.
        key: H is a multiple of KV.
        value: As the key.
        causal: Query i sees the keys 0 to i alone.
        scale: Of scores; ``D ** -0.5`` where it is not given.
    """
    scale = query.shape[3] ** -0.5 if scale is None else scale
    ours = torch.ops.xeonperf
    attended: torch.Tensor
    if products_of(query.dtype) is torch.int8:
        attended = ours.tiled_attention_int8(query, key, value, causal, scale)
    else:
        attended = ours.tiled_attention(query, key, value, causal, scale, widens())
    return attended


def shape_of_result(query: torch.Tensor, *_rest: object) -> torch.Tensor:
    """[B, Q, H, D] from a query [B, H, Q, D], as every operator on heads gives it."""
    batch, heads, queries, width = query.shape
    return query.new_empty((batch, queries, heads, width))
