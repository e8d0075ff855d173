"""FP32 tensors, BF16 multiplications: what a user gets by two settings of torch, without touching the model.

oneDNN rounds the operands of FP32 matmuls and convolutions to BF16 on their way into its kernels, and sums in FP32.
Attention through SDPA is not oneDNN's and stays as it is. Weights are still read in FP32, so this helps where
arithmetic is the limit, and not in decoding.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch.backends import mkldnn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.workloads.protocol import Compiler


def rounding_inside(compiler: Compiler) -> Compiler:
    """The compiler of a variant, with torch's setting in force while its callables are traced and while they run."""

    def through(call: Callable[..., Any]) -> Callable[..., Any]:
        compiled = compiler(call)

        def run(*args: Any, **kwargs: Any) -> Any:
            with _bf16_inside():
                return compiled(*args, **kwargs)

        return run

    return through


@contextmanager
def _bf16_inside() -> Iterator[None]:
    """The setting is the process's: everybody else in it goes on as before."""
    onednn: Any = mkldnn  # torch annotates the module that this object stands for
    families = (onednn.matmul, onednn.conv)
    before = [family.fp32_precision for family in families]
    try:
        for family in families:
            family.fp32_precision = "bf16"
        yield
    finally:
        for family, precision in zip(families, before, strict=True):
            family.fp32_precision = precision
