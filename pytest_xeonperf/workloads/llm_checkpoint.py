"""A user's language model: a folder in Hugging Face's layout, a GGUF file, or what ``xeonperf quantize`` wrote."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from pytest_xeonperf.errors import DataError, InfrastructureError
from pytest_xeonperf.workloads import quantised_checkpoint
from pytest_xeonperf.workloads.gguf_file import write_dequantised
from pytest_xeonperf.workloads.llm_described import configuration, unreadable
from pytest_xeonperf.workloads.quantised_checkpoint import UNREADABLE
from pytest_xeonperf.workloads.weights import cache_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn

_GGUF_MAGIC = b"GGUF"


def check(path: Path) -> None:
    """Look at a checkpoint without reading its weights.

    Raises:
        DataError: It is not there, is no model, or one of its files is shorter than its own header says.
    """
    if path.is_file():
        _check_gguf(path)
        return
    if not path.is_dir():
        raise DataError("no such checkpoint", where=str(path), remedy="check the path")
    configuration(path)
    for file in sorted(path.glob("*.safetensors")):
        try:
            with safe_open(file, "pt"):
                pass
        except UNREADABLE as error:
            raise unreadable(file, error) from error


def build(path: Path) -> nn.Module:
    """The model with its weights mapped from the files, in their dtype, with plain attention.

    Raises:
        DataError: A file is damaged, or does not hold the weights that the model needs.
    """
    folder = folder_of(path)
    if quantised_checkpoint.holds_one(folder):
        return quantised_checkpoint.read(folder)
    try:
        with _without_progress_bars():
            module, report = AutoModelForCausalLM.from_pretrained(
                folder, dtype="auto", attn_implementation="eager", local_files_only=True, output_loading_info=True
            )
    except UNREADABLE as error:
        raise unreadable(folder, error) from error
    missing = sorted(report["missing_keys"])
    if missing:  # transformers would go on with random ones
        raise DataError(
            f"{len(missing)} weights are missing, first {missing[0]!r}",
            where=str(folder),
            remedy="fetch or write the checkpoint again: a file may be missing",
        )
    built: nn.Module = module
    return built


def folder_of(path: Path) -> Path:
    """The folder in Hugging Face's layout: the given one, or a GGUF file's weights in FP32 beside the seeded ones.

    Dequantising a GGUF file takes long and gives as many bytes to each process; so it is done once, into a folder that
    all processes map.

    Raises:
        DataError: The GGUF file is damaged, or holds an architecture that transformers does not know.
        InfrastructureError: The cache has no room, or cannot be written.
    """
    if path.is_dir():
        return path
    _check_gguf(path)
    status = path.stat()
    identity = hashlib.sha256(f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:12]
    folder = cache_folder() / f"{path.stem}-{identity}"
    if not folder.is_dir():
        _convert(path, folder)
    return folder


def _convert(gguf: Path, folder: Path) -> None:
    """Write a GGUF file's model and tokenizer into a folder that appears whole, or not at all."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    except OSError as error:
        raise _no_room(folder, error) from error
    try:
        # transformers draws GGUF's progress bars past its own switch for them.
        with _without_progress_bars(), contextlib.redirect_stderr(io.StringIO()):
            write_dequantised(gguf, unfinished)
            with contextlib.suppress(*UNREADABLE):  # many GGUF files carry no tokenizer, or one of another kind
                AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.is_dir():  # else another process was faster, with the same bytes
                raise
    except (OSError, SafetensorError) as error:
        raise _no_room(folder, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _check_gguf(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_GGUF_MAGIC)) != _GGUF_MAGIC:
            raise DataError("not a GGUF file", where=str(path), remedy="give a .gguf file, or the folder of a model")


@contextlib.contextmanager
def _without_progress_bars() -> Iterator[None]:
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _no_room(folder: Path, error: OSError | SafetensorError) -> InfrastructureError:
    return InfrastructureError(
        f"cannot write the converted weights ({getattr(error, 'strerror', error)})",
        where=str(folder),
        remedy="make room, or point XEONPERF_CACHE elsewhere",
    )
