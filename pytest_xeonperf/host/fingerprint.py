"""The fingerprint of the machine and of the software that measures on it."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from typing import TYPE_CHECKING

from pytest_xeonperf.host.compiler import Compiler, find_compiler
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.libraries import loaded_library
from pytest_xeonperf.host.onednn import LOG_OF_PRIMITIVES
from pytest_xeonperf.host.system import read_system
from pytest_xeonperf.host.topology import read_topology
from pytest_xeonperf.records import Machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_xeonperf.host.topology import Topology
    from pytest_xeonperf.records import Amx, Isa, Limits, Unknown

Facts = tuple[tuple[str, str], ...]

_DISTRIBUTIONS = (
    *("torch", "transformers", "diffusers", "segment-anything", "numpy", "gguf", "pytest-xeonperf"),
    *("openvino", "nncf", "onnxruntime", "torchao", "llama-cpp-python"),
)
_ENVIRONMENT = re.compile(
    r"(OMP|GOMP|KMP|MKL|ONEDNN|DNNL|ATEN|MALLOC|TCMALLOC|TORCHINDUCTOR)_\w+|CXX|LD_PRELOAD|PYTORCH_\w*|TORCH_LOGS"
)
_NOT_FACTS = {"TORCHINDUCTOR_CACHE_DIR"}  # a place, not a setting
_SILENT = ("ONEDNN_VERBOSE", LOG_OF_PRIMITIVES)  # what is not logged takes no time


def machine(*, amx: Amx, isa: Isa, threads: int, topology: Topology, limits: Limits | Unknown) -> Machine:
    """The whole fingerprint, from inside the prepared process: imports torch.

    Args:
        amx: What was decided about AMX.
        isa: The instruction set that is usable under that decision.
        threads: Threads of the measurement.
        topology: The cpuset before the process was pinned to a part of it: `environment.Prepared.topology`.
        limits: What was measured in this session, or why it was not.
    """
    facts = host_facts(topology) | _runtime_facts()
    return _machine(amx=amx, isa=isa, threads=threads, topology=topology, limits=limits, facts=facts)


def machine_without_torch(*, amx: Amx, isa: Isa, threads: int, limits: Limits | Unknown) -> Machine:
    """The same from outside, for header lines and plans: versions as installed, not as loaded."""
    topology = read_topology()
    facts = host_facts(topology)
    return _machine(amx=amx, isa=isa, threads=threads, topology=topology, limits=limits, facts=facts)


def host_facts(topology: Topology) -> dict[str, str]:
    """What can be known without torch: machine, system, installed versions, settings. Empty facts are left out."""
    cpu = read_cpu()
    system = read_system(cpu.flags)
    compiler = find_compiler()
    facts = {
        "compiler": compiler.version if isinstance(compiler, Compiler) else "",
        "cpu_quota": f"{topology.quota_cpus:g}" if topology.quota_cpus < topology.logical_cpus else "",
        "governor": system.governor,
        "hypervisor": system.hypervisor or "none",
        "kernel": system.kernel,
        "libc": " ".join(platform.libc_ver()).strip(),
        "logical_cpus": str(topology.logical_cpus),
        "microcode": cpu.microcode,
        "numa_nodes": str(len(topology.nodes)),
        "python": platform.python_version(),
        "smt": "on" if topology.has_smt else "off",
        "stepping": cpu.stepping,
        "thp": system.huge_pages,
        "vendor": cpu.vendor,
    }
    facts |= installed_versions(_DISTRIBUTIONS) | settings(os.environ)
    return {name: value for name, value in facts.items() if value}


def installed_versions(distributions: Iterable[str]) -> dict[str, str]:
    """Versions of those that are installed, without importing them."""
    found = {}
    for name in distributions:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that steer threads, instruction sets, allocators and compilers, as ``env.NAME``."""
    return {
        f"env.{name}": value
        for name, value in environ.items()
        if _ENVIRONMENT.fullmatch(name) and name not in _NOT_FACTS and (name, value) != _SILENT
    }


def parse_build(text: str) -> dict[str, str]:
    """The versions of oneDNN and MKL from `torch.__config__.show()`."""
    patterns = {
        "onednn": r"MKL-DNN v([\d.]+)",
        "mkl": r"Math Kernel Library Version ([\w.]+)",
    }
    found = {name: re.search(pattern, text) for name, pattern in patterns.items()}
    return {name: match[1] for name, match in found.items() if match}


def _runtime_facts() -> dict[str, str]:
    import torch

    return {
        "torch": str(torch.__version__),  # a class of its own: to unpickle it would import torch
        **parse_build(torch.__config__.show()),
        "openmp": loaded_library("libiomp5", "libomp", "libgomp") or "none",
        "allocator": loaded_library("libtcmalloc", "libjemalloc", "libmimalloc") or "libc",
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }


def _machine(
    *, amx: Amx, isa: Isa, threads: int, topology: Topology, limits: Limits | Unknown, facts: Mapping[str, str]
) -> Machine:
    cpu = read_cpu()
    return Machine(
        architecture=cpu.architecture,
        cpu_model=cpu.model_name,
        isa=isa,
        amx=amx,
        threads=threads,
        physical_cores=topology.physical_cores,
        memory_bytes=read_system(cpu.flags).memory_bytes,
        facts=tuple(sorted(facts.items())),
        limits=limits,
    )
