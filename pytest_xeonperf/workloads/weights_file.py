"""The seeded weights' file: drawn tensor by tensor straight into safetensors, so that no model is held to write it.

The safetensors library can only write tensors that all exist at once; a 7B model in FP32 is 25 GiB. Its format is a
length, a JSON header and the raw values, and its own reader maps what is written here.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMES = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}
_CHUNK = 1 << 24
"""Values drawn at a time by one thread: 64 MiB."""
_MOST_THREADS = 8
_ALIGNMENT = 64
"""Bytes; the values start on a cache line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One tensor of the file, drawn as ``mean + std * normal``."""

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    mean: float
    std: float

    @property
    def size_bytes(self) -> int:
        """Bytes of its values."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a file holds: everything that decides its bytes."""

    seed: int
    tensors: tuple[Tensor, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all values."""
        return sum(tensor.size_bytes for tensor in self.tensors)

    @property
    def digest(self) -> str:
        """Hash of names, shapes, distributions and seed; twelve hexadecimal digits."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


def write(path: Path, plan: Plan) -> None:
    """Draw every tensor of the plan into `path`, which appears at once and whole, or not at all.

    Two processes that write the same plan write the same bytes: whoever comes last replaces the file by its equal.

    Raises:
        InfrastructureError: The disk has no room for it, or the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _ask_for_room(path.parent, plan.size_bytes)
        descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                _fill(file.fileno(), plan)
            Path(unfinished).replace(path)
        finally:
            with suppress(FileNotFoundError):  # gone, when it was renamed
                Path(unfinished).unlink()
    except OSError as error:
        raise InfrastructureError(
            f"cannot write the seeded weights ({error.strerror})",
            where=str(path),
            remedy="point XEONPERF_CACHE elsewhere",
        ) from error


def _ask_for_room(folder: Path, size_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < size_bytes:
        raise InfrastructureError(
            f"the seeded weights need {show_bytes(size_bytes)} of disk, {show_bytes(free_bytes)} are free",
            where=str(folder),
            remedy="make room, or point XEONPERF_CACHE at a larger disk",
        )


def _header(plan: Plan) -> bytes:
    """The format's length and JSON header, padded with blanks so that values start aligned."""
    entries: dict[str, object] = {}
    start = 0
    for tensor in plan.tensors:
        end = start + tensor.size_bytes
        entries[tensor.name] = {
            "dtype": _NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
        start = end
    text = json.dumps(entries, allow_nan=False).encode()
    text += b" " * (-(len(text) + 8) % _ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _fill(descriptor: int, plan: Plan) -> None:
    """Header and values. A generator draws one value after the other, so several tensors are drawn at once."""
    header = _header(plan)
    _write_at(descriptor, memoryview(header), 0)
    starts = itertools.accumulate((tensor.size_bytes for tensor in plan.tensors), initial=len(header))
    with ThreadPoolExecutor(min(torch.get_num_threads(), _MOST_THREADS)) as pool:
        try:
            for _ in pool.map(lambda tensor, start: _draw(tensor, plan.seed, descriptor, start), plan.tensors, starts):
                pass
        except BaseException:  # also Ctrl-C: what has not begun need not
            pool.shutdown(cancel_futures=True)
            raise


def _draw(tensor: Tensor, seed: int, descriptor: int, start: int) -> None:
    """Draw one tensor in chunks, each tensor from a generator of its own, to where it begins in the file."""
    name_seed = int.from_bytes(hashlib.sha256(f"{seed}:{tensor.name}".encode()).digest()[:8], "little")
    generator = torch.Generator().manual_seed(name_seed)
    for size in _chunks(math.prod(tensor.shape)):
        values = torch.empty(size, dtype=torch.float32).normal_(tensor.mean, tensor.std, generator=generator)
        values[values == 0] = tensor.std  # no parameter may be zero
        drawn = values.to(tensor.dtype).view(torch.uint8).numpy().data
        _write_at(descriptor, drawn, start)
        start += drawn.nbytes


def _write_at(descriptor: int, data: memoryview, start: int) -> None:
    """All of the bytes: one call of the system may take fewer."""
    while data:
        written = os.pwrite(descriptor, data, start)
        data, start = data[written:], start + written


def _chunks(size: int) -> Iterator[int]:
    for start in range(0, size, _CHUNK):
        yield min(_CHUNK, size - start)
