"""Modules whose numbers a variant's cast must leave as they are.

A rotary embedding keeps a table of frequencies. Rounded to BF16, position 1,000 times a frequency is off by whole
radians, and the model is another one. The ecosystem's own loaders keep such tables in FP32; a plain ``module.to`` does
not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_MARK = "xeonperf_keeps_dtype"


def keep_dtype(module: nn.Module) -> None:
    """Mark a module, so that the parameters and buffers it owns itself keep their dtype in every variant."""
    setattr(module, _MARK, True)


def keeps_dtype(module: nn.Module) -> bool:
    """Whether `keep_dtype` has marked this module."""
    return getattr(module, _MARK, False) is True
