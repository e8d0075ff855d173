"""In what dtype operators of ours multiply BF16 tensors: as they are, or in FP32, where a processor is faster in it.

The setting is in force while a variant's callables are traced and while they run, as torch's own settings of that kind
are. What is traced has it as a constant; Dynamo guards it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_xeonperf.host.cpu import read_cpu

if TYPE_CHECKING:
    from collections.abc import Iterator

BF16_INSTRUCTIONS = "avx512_bf16" in read_cpu().flags
"""Whether the processor multiplies BF16 at all; kernels made of its instructions leave it to torch elsewhere."""

_widens = False


@contextmanager
def in_fp32() -> Iterator[None]:
    """Let operators of ours widen BF16 operands to FP32 before they multiply them; the setting is the process's."""
    global _widens  # noqa: PLW0603 - read by traced code, which a context variable would break
    before, _widens = _widens, True
    try:
        yield
    finally:
        _widens = before


def widens() -> bool:
    """Whether `in_fp32` is in force."""
    return _widens
