"""Gets a process ready to measure: the environment it is started with, and what it does to itself once it runs.

The same settings hold for baseline and candidate. What is decided here and not by the user: threads, the remedy, and
how threads wait where nothing is timed. Everything else gives way to a variable that is already set.

The process is kept on one CPU of each core it uses; its threads are not bound one by one. OpenMP would bind the main
thread too, which hands its single core on to every compiler that Inductor starts from it, and letting only that one go
again makes it share a core with a worker.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.host import onednn, repair
from pytest_xeonperf.host.cachedir import cache_dir
from pytest_xeonperf.host.compiler import Compiler, find_compiler, knows_this_cpu
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.libraries import Library, Role, find_libraries
from pytest_xeonperf.host.precision import highest_fp32_precision
from pytest_xeonperf.host.probe import ISA_CAP, torch_version
from pytest_xeonperf.host.topology import Topology, choose_cpus, read_topology
from pytest_xeonperf.records import Remedy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TUNED = "native -mtune=icelake-server"
"""Follows ``-march=`` on the compiler's command line."""
_SLEEPING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
"""What OpenMP's threads do while they wait; GNU's runtime and Intel's each have a setting that outranks the first."""
_JEMALLOC = "oversize_threshold:1,background_thread:true,metadata_thp:auto"
"""As torch.backends.xeon sets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What `apply_in_process` did.

    Attributes:
        cpus: Logical CPUs that the process is kept on; empty where it was left alone.
        topology: The cpuset as it was before.
    """

    remedy: Remedy
    threads: int
    cpus: tuple[int, ...]
    topology: Topology


def prepare(
    remedy: Remedy,
    threads: int,
    *,
    preload: bool = True,
    timed: bool = True,
    environ: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The settings to start a measuring child with: ``{**os.environ, **prepare(...)}``.

    Args:
        remedy: What was decided about AMX.
        threads: Threads of the measurement.
        preload: Whether an allocator and an OpenMP runtime that are installed are preloaded.
        timed: Whether anything is timed in it. Where nothing is, threads that wait for each other sleep instead of
            spinning, whatever the user has set, and leave the cores to the process beside them.
        environ: The user's environment; by default this process's.
    """
    given = os.environ if environ is None else environ
    decided = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    if remedy is Remedy.CAP:
        decided["ONEDNN_MAX_CPU_ISA"] = ISA_CAP
    if not timed:
        decided |= _SLEEPING
    wished = {
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "ONEDNN_VERBOSE": onednn.LOG_OF_PRIMITIVES,
        "TORCHINDUCTOR_CACHE_DIR": str(cache_dir("inductor", _code_key(remedy))),
        **_compiler(),
    }
    libraries = find_libraries() if preload else ()
    wished |= _tuning(libraries)
    settings = {name: value for name, value in wished.items() if name not in given} | decided
    if libraries:
        settings["LD_PRELOAD"] = _preloads(libraries, given.get("LD_PRELOAD", ""))
    return settings


@contextmanager
def apply_in_process(remedy: Remedy, threads: int) -> Iterator[Prepared]:
    """Inside, this process is ready to measure: pinned, repaired if need be, FP32 at full precision.

    Enter it before anything else imports torch. On leaving, affinity, thread count and precision are put back; what
    the repair did stays, since oneDNN keeps what it read.

    Raises:
        NotApplicableError: The repair was asked for and cannot work.
    """
    topology = read_topology()
    cpus = choose_cpus(topology, threads)
    with _kept_on(cpus):
        if remedy is Remedy.REPAIR:
            repair.install()
        with _thread_count(threads):
            onednn.start_thread_pool()
            if remedy is Remedy.REPAIR:
                with repair.window():
                    onednn.initialise()
            with highest_fp32_precision():
                yield Prepared(remedy=remedy, threads=threads, cpus=cpus, topology=topology)


@contextmanager
def _kept_on(cpus: tuple[int, ...]) -> Iterator[None]:
    before = tuple(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ()
    _pin(cpus)
    try:
        yield
    finally:
        _pin(before)


@contextmanager
def _thread_count(threads: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _pin(cpus: tuple[int, ...]) -> None:
    """Keep this thread, and what is started from it, on these; no CPUs means: leave it where it is."""
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)


def _compiler() -> dict[str, str]:
    """Inductor looks for g++ and nothing else, unless it is told.

    GCC 12 does not know Emerald Rapids. With the tuning that it then takes, it makes wrong code of transposes in BF16,
    without a word: nine of ten values are others. Tuned for any Xeon that it knows, the same code is right.
    """
    found = find_compiler()
    if not isinstance(found, Compiler):
        return {}
    settings = {} if found.command == "g++" else {"CXX": found.command}
    if "avx512f" in read_cpu().flags and not knows_this_cpu(found):
        settings["TORCHINDUCTOR_CPP_MARCH"] = _TUNED
    return settings


def _tuning(libraries: tuple[Library, ...]) -> dict[str, str]:
    tuning = {}
    for library in libraries:
        if library.name == "libjemalloc":
            tuning["MALLOC_CONF"] = _JEMALLOC
        if library.name.startswith("libtcmalloc"):
            tuning["TCMALLOC_LARGE_ALLOC_REPORT_THRESHOLD"] = str(1 << 60)  # weights are large, and no news
        if library.role is Role.OPENMP:
            tuning["KMP_BLOCKTIME"] = "1"  # ms that idle threads spin before they give the core back
    return tuning


def _preloads(libraries: tuple[Library, ...], given: str) -> str:
    """The user's preloads first, then ours, each role once."""
    names = [library.path.name.partition(".")[0] for library in libraries]
    theirs = [path for path in given.replace(":", " ").split() if path]
    ours = [
        str(library.path)
        for library, name in zip(libraries, names, strict=True)
        if not any(name in path for path in theirs)
    ]
    return ":".join([*theirs, *ours])


def _code_key(remedy: Remedy) -> str:
    """Compiled kernels may be shared between processes that agree on these."""
    cpu, compiler = read_cpu(), find_compiler()
    version = compiler.version if isinstance(compiler, Compiler) else ""
    parts = [torch_version(), version, remedy, cpu.model_name, " ".join(sorted(cpu.flags)), _TUNED]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
