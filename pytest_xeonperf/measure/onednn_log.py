"""What oneDNN says it ran: the kernel and its instruction set, from its own log and not from what was asked for."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_xeonperf.host.onednn import parse_kernels

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDOUT = 1
_MARK = b"onednn_verbose,"


@contextmanager
def listening() -> Iterator[list[str]]:
    """A list that holds, afterwards, names such as ``onednn::matmul:brg_matmul:avx10_1_512_amx``.

    oneDNN prints its log to the process's stdout, so that is taken meanwhile; what others print there comes out late.
    """
    import torch
    from torch.backends import mkldnn

    names: list[str] = []
    if not mkldnn.is_available():  # type: ignore[no-untyped-call]
        yield names
        return
    torch.zeros(1).to_mkldnn()  # oneDNN reads its environment when it first runs, unless it was told what to log before
    with tempfile.TemporaryFile() as file:
        _flush()
        stdout = os.dup(_STDOUT)
        os.dup2(file.fileno(), _STDOUT)
        try:
            with mkldnn.verbose(mkldnn.VERBOSE_ON):  # type: ignore[no-untyped-call]
                yield names
        finally:
            try:
                _flush()
            finally:
                os.dup2(stdout, _STDOUT)
                os.close(stdout)
            file.seek(0)
            names += _sorted_out(file.read())


def _sorted_out(printed: bytes) -> list[str]:
    """The names in the log; the rest is printed where it was meant to go."""
    lines = printed.splitlines(keepends=True)
    log = b"".join(line for line in lines if line.startswith(_MARK))
    rest = b"".join(line for line in lines if not line.startswith(_MARK))
    while rest:
        rest = rest[os.write(_STDOUT, rest) :]
    return [f"onednn::{kernel}" for kernel in parse_kernels(log.decode(errors="replace"))]


def _flush() -> None:
    """Python's buffer, and that of C, through which oneDNN prints."""
    sys.stdout.flush()
    ctypes.CDLL(None).fflush(None)
