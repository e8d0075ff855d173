"""Models of OpenVINO in INT8, as people get them from NNCF.

`compress` has weights alone in INT8; OpenVINO then quantises the activations of linear layers as they come, in groups.
`quantise` is what NNCF calls post-training quantisation, with its defaults for transformers: SmoothQuant, symmetric
weights, activations with scales that are fixed in advance, corrected biases. Linear layers, convolutions and the
products of attention are then INT8 on both sides. It is calibrated on what it is measured on, its best case.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

_NO_REPORTS = "NNCF_CI"
"""With it NNCF reports to nobody that it was used."""


def compress(model: Any) -> Any:
    """A model of OpenVINO with all of its weights in INT8."""
    with _quiet() as nncf:
        return nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)


def quantise(model: Any, tensors: Sequence[torch.Tensor]) -> Any:
    """A model of OpenVINO in INT8.

    Args:
        model: Of static shapes.
        tensors: Its inputs, in order.
    """
    with _quiet() as nncf:
        inputs = nncf.Dataset([[tensor.numpy() for tensor in tensors]])
        return nncf.quantize(model, inputs, model_type=nncf.ModelType.TRANSFORMER, subset_size=1)


@contextmanager
def _quiet() -> Iterator[Any]:
    """NNCF, without words and bars on the terminal."""
    os.environ.setdefault(_NO_REPORTS, "1")
    import nncf

    nncf.set_log_level(logging.ERROR)
    with redirect_stdout(StringIO()):
        yield nncf


def stored_bytes(module: nn.Module, width_bytes: int) -> int:
    """Bytes of a module's parameters and buffers as it keeps them: a byte for each weight of what is multiplied."""
    quantised = {
        id(part.weight) for part in module.modules() if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)
    }
    tensors = (*module.parameters(), *module.buffers())
    return sum(tensor.numel() * (1 if id(tensor) in quantised else width_bytes) for tensor in tensors)
