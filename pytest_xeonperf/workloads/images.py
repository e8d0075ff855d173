"""Photographs as Segment Anything wants them: longest side resized, colours normalised, padded to a square."""

from __future__ import annotations

from importlib.resources import as_file, files
from itertools import cycle, islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from pytest_xeonperf.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MEAN = (123.675, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)
_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


def batch(folder: Path | None, *, count: int, side: int) -> torch.Tensor:
    """That many images as one FP32 tensor [count, 3, side, side]; fewer photographs than that are repeated in turn.

    Args:
        folder: Holds the user's photographs, taken in the order of their names; the bundled one where none is given.
        count: Images in the batch.
        side: Pixels of the square.

    Raises:
        DataError: The folder holds no image, or one that cannot be read.
    """
    if folder is None:
        with as_file(files(__package__) / "data" / "coffee.jpg") as bundled:
            return _stack([bundled], count, side)
    return _stack(photographs(folder)[:count], count, side)


def photographs(folder: Path) -> list[Path]:
    """The images in a folder by name, none of them opened.

    Raises:
        DataError: There is no such folder, or no image in it.
    """
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in _SUFFIXES) if folder.is_dir() else []
    if not found:
        raise DataError(
            "no images there", where=str(folder), remedy=f"name a folder with {', '.join(sorted(_SUFFIXES))}"
        )
    return found


def resized_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Height and width with the longest side at `side`, rounded as segment-anything's ``ResizeLongestSide`` rounds."""
    scale = side / max(height, width)
    return int(height * scale + 0.5), int(width * scale + 0.5)


def prepare(photograph: Image.Image, side: int) -> torch.Tensor:
    """One photograph as FP32 [3, side, side]: what ``ResizeLongestSide`` and ``Sam.preprocess`` make of it."""
    height, width = resized_size(photograph.height, photograph.width, side)
    resized = photograph.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(resized, dtype=np.float32)).permute(2, 0, 1)  # [3, height, width] fp32, 0..255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (_MEAN, _STD))
    padding = (0, side - width, 0, side - height)  # right and below, with zeros after normalising, as upstream
    return torch.nn.functional.pad((pixels - mean) / std, padding)


def _stack(paths: Sequence[Path], count: int, side: int) -> torch.Tensor:
    prepared = [_read(path, side) for path in paths]
    return torch.stack(list(islice(cycle(prepared), count)))


def _read(path: Path, side: int) -> torch.Tensor:
    try:
        with Image.open(path) as photograph:
            return prepare(photograph, side)
    except (UnidentifiedImageError, OSError) as error:
        raise DataError(f"not a readable image ({error})", where=str(path), remedy="remove or replace it") from error
