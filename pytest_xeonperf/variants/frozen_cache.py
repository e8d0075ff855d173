"""Lets Inductor's cache on disk keep compiled code that has packed weights for constants.

`FxGraphCache` keeps a frozen graph without its weights: it stores their names, and takes the tensors of the graph at
hand when it loads the code again (`torch._inductor.output_code.CompiledFxGraphConstantsWithGm`). Only its key refuses
the opaque tensors that oneDNN packs ("mkldnn tensors unpickleable"), so that every process compiles every frozen graph
anew. Shape and dtype are what code can depend on: how such a weight is packed is between oneDNN and itself.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch


@contextmanager
def packed_weights_by_shape() -> Iterator[None]:
    """While it lasts, a packed weight stands in the key of Inductor's cache with its shape and dtype.

    For `torch==2.13.*`, whose internals it reaches into. Values of weights never decide, as for every frozen parameter
    that is not packed; what the graph computes from them is in the graph, and that is in the key.
    """
    from torch._inductor import codecache

    of_plain_tensors = codecache.FxGraphCachePickler._reduce_tensor  # noqa: SLF001 - there is no public way
    check_plain_tensor = codecache.CacheabilityValidator.check_tensor

    def reduce_tensor(pickler: codecache.FxGraphCachePickler, tensor: torch.Tensor) -> Any:
        if not tensor.is_mkldnn:
            return of_plain_tensors(pickler, tensor)
        return tuple, (("packed for oneDNN", tuple(tensor.shape), str(tensor.dtype)),)

    def check_tensor(tensor: torch.Tensor) -> None:
        if not tensor.is_mkldnn:
            check_plain_tensor(tensor)

    with (
        mock.patch.object(codecache.FxGraphCachePickler, "_reduce_tensor", reduce_tensor),
        mock.patch.object(codecache.CacheabilityValidator, "check_tensor", staticmethod(check_tensor)),
    ):
        yield
