"""What a language model's checkpoint says of its own size: read without its weights, and without torch."""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from pathlib import Path


def configuration(folder: Path) -> dict[str, object]:
    """What a folder's ``config.json`` says of its model.

    Raises:
        DataError: There is none, or it describes no model.
    """
    try:
        described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"no readable config.json ({error})",
            where=str(folder),
            remedy="give a folder in Hugging Face's layout (config.json, *.safetensors), or a .gguf file",
        ) from error
    if not isinstance(described, dict) or "model_type" not in described:
        raise DataError("config.json names no model_type", where=str(folder), remedy="give a language model's folder")
    return described


def stored_parameters(path: Path) -> int | Unknown:
    """How many weights the files of a checkpoint hold, by their own headers; a quantised one holds fewer.

    Args:
        path: A folder with safetensors files, or a GGUF file.

    Raises:
        DataError: A file is not what its name says, or is cut off.
    """
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if not files:
        return Unknown(reason=f"no safetensors file in {path}")
    try:
        return sum(_of_gguf(file) if file.suffix == ".gguf" else _of_safetensors(file) for file in files)
    except ImportError as error:
        return Unknown(reason=f"a package that reads it is missing ({error})")
    except Exception as error:  # safetensors has an exception of its own; gguf raises whatever its arithmetic runs into
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> DataError:
    """What to say of a checkpoint's file or folder that cannot be read."""
    return DataError(
        f"not a readable checkpoint ({error})", where=str(path), remedy="it may be truncated: fetch or write it again"
    )


def _of_safetensors(file: Path) -> int:
    from safetensors import safe_open

    with safe_open(file, "numpy") as opened:
        return sum(prod(opened.get_slice(name).get_shape()) for name in opened.keys())  # noqa: SIM118 - not a mapping


def _of_gguf(file: Path) -> int:
    from gguf import GGUFReader

    return sum(int(tensor.n_elements) for tensor in GGUFReader(file).tensors)
