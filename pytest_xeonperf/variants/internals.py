"""Tensors of one dtype, multiplied in another; nothing of the model is touched.

FP32 tensors in BF16 is what a user gets by two settings of torch: oneDNN rounds the operands of FP32 matmuls and
convolutions to BF16 on their way into its kernels, and sums in FP32. Attention through SDPA is not oneDNN's and stays
as it is. Weights are still read in FP32, so this helps where arithmetic is the limit, and not in decoding.

BF16 tensors in FP32 is for processors that multiply that faster, and a setting of our own operators: attention over
tiles, and many rows with quantised weights, widen their operands in a cache. Memory is read and written in BF16.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from torch.backends import mkldnn

from pytest_xeonperf.variants.spec import Dtype
from pytest_xeonperf.workloads.arithmetic import in_fp32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.workloads.protocol import Compiler


def multiplying_in(dtype: Dtype, compiler: Compiler) -> Compiler:
    """The compiler of a variant, with the setting in force while its callables are traced and while they run."""
    setting = _bf16_inside if dtype is Dtype.BF16 else in_fp32

    def through(call: Callable[..., Any]) -> Callable[..., Any]:
        compiled = compiler(call)

        def run(*args: Any, **kwargs: Any) -> Any:
            with setting():
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
