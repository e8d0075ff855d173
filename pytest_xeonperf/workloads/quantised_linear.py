"""A Linear layer as a quantised checkpoint stores it: unpacked, for any machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How weights were quantised.

    Attributes:
        woq: ``int8`` or ``int4``, as in `pytest_xeonperf.variants.spec.Woq`.
        group_size: Weights that share one scale; 0 where a whole output channel does.
    """

    woq: str
    group_size: int = 0

    def __str__(self) -> str:
        return f"{self.woq} with group size {self.group_size}" if self.group_size else self.woq


class StoredLinear(nn.Module):
    """Stands for a Linear layer in a model that was just loaded; it cannot be called.

    Packed layouts depend on the instruction set, so a variant packs it, or gives back a plain Linear.

    Args:
        scheme: How it was quantised.
        tensors: The parts by name, as the technique of that scheme made them.
        bias: [N], or none.
    """

    bias: nn.Parameter | None

    def __init__(self, scheme: Scheme, tensors: Mapping[str, torch.Tensor], bias: nn.Parameter | None) -> None:
        super().__init__()
        self.scheme = scheme
        self.parts = tuple(tensors)
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)
        self.register_parameter("bias", bias)

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """The parts by name, without the bias."""
        return {name: self.get_buffer(name) for name in self.parts}
