"""In what dtype operators of ours multiply BF16 tensors: as they are, or in one that a processor is faster in.

The setting is in force while a variant's callables are traced and while they run, as torch's own settings of that kind
are. What is traced has it as a constant; Dynamo guards it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from pytest_xeonperf.host.cpu import read_cpu

if TYPE_CHECKING:
    from collections.abc import Iterator

BF16_INSTRUCTIONS = "avx512_bf16" in read_cpu().flags
"""Whether the processor multiplies BF16 at all; kernels made of its instructions leave it to torch elsewhere."""

_of_bf16 = torch.bfloat16


@contextmanager
def multiplying_bf16_in(dtype: torch.dtype) -> Iterator[None]:
    """Let operators of ours bring BF16 operands to FP32 or int8, and multiply them there; the setting is the process's.

    Attention over tiles knows both. Quantised weights for many rows know FP32; in int8 they stay as they are.
    """
    global _of_bf16  # noqa: PLW0603 - read by traced code, which a context variable would break
    before, _of_bf16 = _of_bf16, dtype
    try:
        yield
    finally:
        _of_bf16 = before


def products_of(dtype: torch.dtype) -> torch.dtype:
    """In what attention over tiles multiplies tensors of a dtype."""
    return _of_bf16 if dtype is torch.bfloat16 else dtype


def widens() -> bool:
    """Whether BF16 operands are brought to FP32."""
    return _of_bf16 is torch.float32
