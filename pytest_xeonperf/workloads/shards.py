"""Tensors into safetensors files, one after the other, so that no whole model is held to write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safetensors.torch import save_file

if TYPE_CHECKING:
    from pathlib import Path

    import torch

_FILE_BYTES = 1 << 30
"""A file that has as many is full; while it is written, its tensors are held twice."""


@dataclass(kw_only=True)
class Shards:
    """Takes tensors for a folder's files, a new one whenever one is full.

    Attributes:
        stem: How the files' names begin: ``model`` gives ``model-00001.safetensors``.
        file_of: The file of every tensor that is written, in order.
    """

    folder: Path
    stem: str
    file_of: dict[str, str] = field(default_factory=dict)
    _pending: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """The names of the files that are written, in order."""
        return list(dict.fromkeys(self.file_of.values()))

    def add(self, name: str, tensor: torch.Tensor) -> None:
        """Take a tensor."""
        self._pending[name] = tensor.contiguous()
        if sum(pending.nbytes for pending in self._pending.values()) >= _FILE_BYTES:
            self.finish()

    def finish(self) -> None:
        """Write what is pending."""
        if not self._pending:
            return
        name = f"{self.stem}-{len(self.files) + 1:05d}.safetensors"
        save_file(self._pending, self.folder / name, metadata={"format": "pt"})  # without it transformers refuses them
        self.file_of |= dict.fromkeys(self._pending, name)
        self._pending = {}
