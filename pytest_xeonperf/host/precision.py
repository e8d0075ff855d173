"""Keeps FP32 honest: pins the precision of FP32 matrix products, so that no baseline quietly runs in BF16."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def highest_fp32_precision() -> Iterator[None]:
    """Inside, FP32 matmul, convolution and RNN compute in FP32; what was set before is put back.

    torch has an old switch (`torch.set_float32_matmul_precision`) and new ones per backend and operation, and raises
    when the old one is read while the two disagree; Dynamo reads it. So both are set, and kept in agreement.
    """
    import torch

    mkldnn = torch.backends.mkldnn
    operations = (mkldnn.matmul, mkldnn.conv, mkldnn.rnn)  # type: ignore[attr-defined]  # made by a PropModule
    before = [operation.fp32_precision for operation in operations]
    try:
        overall = torch.get_float32_matmul_precision()
    except RuntimeError:  # already in disagreement: then only the new switches mean anything
        overall = "highest"
    torch.set_float32_matmul_precision("highest")
    for operation in operations:
        operation.fp32_precision = "ieee"
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(overall)
        for operation, value in zip(operations, before, strict=True):
            operation.fp32_precision = value
