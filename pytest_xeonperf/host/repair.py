"""The palette repair: oneDNN's AMX where the hypervisor advertises AMX and hides the leaves that describe its tiles.

oneDNN takes its tile palette from CPUID leaf 0x1D, reads zero on such guests, configures palette 0, and the first tile
instruction kills the process. AMX itself works. So a small C library (``cpuid_shim.c``) turns on CPUID faulting
(`arch_prctl(2)`, ``ARCH_SET_CPUID``) while oneDNN initialises and answers what is missing. It is loaded into the
process, never preloaded: a preloaded one lives in every compiler that Inductor starts as well, and those crash on it.

Use, in a process that has not imported torch::

    repair.install()
    onednn.start_thread_pool()          # imports torch
    with repair.window():
        onednn.initialise()
"""

from __future__ import annotations

import ctypes
import faulthandler
import hashlib
import os
import platform
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import InfrastructureError, NotApplicableError
from pytest_xeonperf.host.cachedir import cache_dir
from pytest_xeonperf.host.compiler import need_compiler

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOURCE = Path(__file__).with_name("cpuid_shim.c")
_FLAGS = ("-x", "c", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


def build_shim() -> Path:
    """The compiled shim, from the cache if this source has been compiled with these flags before.

    Raises:
        NotApplicableError: Not Linux on x86-64, or no compiler.
        InfrastructureError: The compiler refused the source.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise NotApplicableError(
            f"the AMX repair is for Linux on x86-64, not {sys.platform} on {platform.machine()}",
            remedy="leave --xeonperf-amx at auto",
        )
    compiler = need_compiler()
    identity = b"\0".join([_SOURCE.read_bytes(), *map(str.encode, _FLAGS), compiler.version.encode()])
    library = cache_dir("shim") / f"cpuid-{hashlib.sha256(identity).hexdigest()[:16]}.so"
    if not library.is_file():
        unfinished = library.with_suffix(f".{os.getpid()}")
        compiler.build(_SOURCE, unfinished, *_FLAGS)
        unfinished.replace(library)
    return library


def install() -> None:
    """Put the SIGSEGV handler that answers CPUID on top, and see that this machine can fault on CPUID at all.

    The handler stays for the life of the process. Called again, it goes back on top of whoever came in between.

    Raises:
        NotApplicableError: This machine cannot do it, with the reason.
    """
    install_handler()
    with window():
        pass  # ENODEV shows here, before anything depends on it


def install_handler() -> None:
    """Put the handler on top without asking whether the machine can fault on CPUID."""
    failed = _shim().xeonperf_install(faulthandler.is_enabled())
    if failed:
        raise NotApplicableError(
            f"the CPUID handler cannot be installed: {os.strerror(failed)}",
            remedy="a seccomp filter that forbids process_vm_readv is the usual cause; --xeonperf-amx=cap needs none",
        )


def reinstall() -> None:
    """Put the handler back on top after faulthandler was enabled or disabled; harmless if it is there.

    Call it after each of the two: pytest enables faulthandler when it configures and disables it at its end. Threads
    born inside a window keep faulting on CPUID for ever, so the handler may not be missing for long.
    """
    install_handler()


@contextmanager
def window() -> Iterator[None]:
    """Inside, CPUID on this thread and on threads born from it is answered with the tile palette. May be reopened.

    Raises:
        NotApplicableError: The processor or hypervisor cannot fault on CPUID.
    """
    shim = _shim()
    failed = shim.xeonperf_set_faulting(1)
    if failed:
        raise NotApplicableError(
            f"CPUID cannot be made to fault here (arch_prctl: {os.strerror(failed)})",
            remedy="use --xeonperf-amx=cap: BF16 then runs on AVX-512",
        )
    try:
        yield
    finally:
        failed = shim.xeonperf_set_faulting(0)
        if failed:
            raise InfrastructureError(f"CPUID faulting cannot be turned off again: {os.strerror(failed)}")


def answered() -> int:
    """How many CPUID instructions the handler has answered so far."""
    count: int = _shim().xeonperf_answered()
    return count


@cache
def _shim() -> ctypes.CDLL:
    """The library, loaded once: a second copy would have a handler of its own."""
    try:
        shim = ctypes.CDLL(str(build_shim()))
    except OSError as error:
        raise NotApplicableError(f"the CPUID shim cannot be loaded: {error}") from error
    except InfrastructureError as error:
        raise NotApplicableError(error.what, where=error.where, remedy="use --xeonperf-amx=cap") from error
    shim.xeonperf_answered.restype = ctypes.c_long
    shim.xeonperf_install.argtypes = [ctypes.c_int]
    shim.xeonperf_set_faulting.argtypes = [ctypes.c_int]
    return shim
