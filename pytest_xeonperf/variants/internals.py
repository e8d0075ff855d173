"""Tensors of one dtype, multiplied in another; nothing of the model is touched.

FP32 tensors in BF16 is what a user gets by two settings of torch: oneDNN rounds the operands of FP32 matmuls and
convolutions to BF16 on their way into its kernels, and sums in FP32. Attention through SDPA is not oneDNN's and stays
as it is. Weights are still read in FP32, so this helps where arithmetic is the limit, and not in decoding.

BF16 tensors in FP32 or in bytes is for processors that multiply these faster, and a setting of our own operators:
attention over tiles, and in FP32 many rows with quantised weights, bring their operands there in a cache. Memory is
read and written in BF16.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.backends import mkldnn

from pytest_xeonperf.variants.spec import Internals
from pytest_xeonperf.workloads.arithmetic import multiplying_bf16_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pytest_xeonperf.workloads.protocol import Compiler


def multiplying_in(internals: Internals, compiler: Compiler) -> Compiler:
    """The compiler of a variant, with the setting in force while its callables are traced and while they run."""
    if internals is Internals.SAME:
        return compiler
    setting = _SETTINGS[internals]

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


_SETTINGS: dict[Internals, Callable[[], AbstractContextManager[None]]] = {
    Internals.BF16: _bf16_inside,
    Internals.FP32: partial(multiplying_bf16_in, torch.float32),
    Internals.INT8: partial(multiplying_bf16_in, torch.int8),
}
