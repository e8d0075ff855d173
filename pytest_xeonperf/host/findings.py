"""What about this host deserves a word, and what to do about it: pure rules over what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.host.compiler import COMPILER_REMEDY, Compiler
from pytest_xeonperf.host.finding import NOTHING_TO_DO, Finding, Level
from pytest_xeonperf.host.installation import INSTALL_MODELS
from pytest_xeonperf.host.libraries import ALLOCATOR_REMEDY, OPENMP_REMEDY, Role
from pytest_xeonperf.host.processor_findings import amx_findings, processor_findings, slow_bf16_findings
from pytest_xeonperf.host.setting_findings import WHOLE_CPUS, core_findings, isa_findings, system_findings
from pytest_xeonperf.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.host.inspection import Inspection

_QUICK_BYTES = 20 << 30
_BUSY_SHARE = 0.5


def findings(host: Inspection) -> tuple[Finding, ...]:
    """Everything there is to say, what matters most first."""
    found = [
        *processor_findings(
            architecture=host.cpu.architecture,
            vendor=host.cpu.vendor,
            model_name=host.cpu.model_name,
            isa=host.cpu.isa,
        ),
        *isa_findings(host.machine),
        *amx_findings(host),
        *slow_bf16_findings(host.machine.limits, host.machine.isa),
        *_software_findings(host),
        *_core_findings(host),
        *_system_findings(host),
    ]
    return tuple(sorted(found, key=lambda finding: -list(Level).index(finding.level)))


def _software_findings(host: Inspection) -> Iterator[Finding]:
    if not host.torch:
        yield Finding(
            level=Level.PROBLEM,
            what="torch is not installed",
            detail="nothing can be measured",
            remedy=INSTALL_MODELS,
        )
    if isinstance(host.compiler, Compiler):
        yield Finding(level=Level.GOOD, what="C++ compiler works", detail=host.compiler.version, remedy=NOTHING_TO_DO)
    else:
        yield Finding(
            level=Level.PROBLEM,
            what="no working C++ compiler",
            detail=f"{host.compiler.reason}; compiled variants are not measured, which leaves the run undecided",
            remedy=COMPILER_REMEDY,
        )
    if not host.knows_cpu:
        yield Finding(
            level=Level.NOTE,
            what="the C++ compiler does not know this CPU",
            detail="it would tune for none, and GCC 12 then makes wrong code in BF16: it is given one to tune for",
            remedy="optional: a newer g++",
        )
    if host.torchvision:
        yield Finding(
            level=Level.PROBLEM,
            what="torchvision is installed and broken",
            detail=f"{host.torchvision}; transformers finds it and fails with it",
            remedy="pip uninstall torchvision, or install the build for this torch from PyTorch's CPU wheel index",
        )
    preloaded = ((Role.ALLOCATOR, "allocator", ALLOCATOR_REMEDY), (Role.OPENMP, "OpenMP runtime", OPENMP_REMEDY))
    for role, name, remedy in preloaded:
        present = [library for library in host.libraries if library.role is role]
        yield Finding(
            level=Level.GOOD if present else Level.NOTE,
            what=f"{name} {present[0].path}" if present else f"no {name} to preload",
            detail="preloaded for baseline and candidate alike" if present else "the default one is used",
            remedy=NOTHING_TO_DO if present else remedy,
        )


def _core_findings(host: Inspection) -> Iterator[Finding]:
    cores = host.topology
    yield from core_findings(
        logical_cpus=cores.logical_cpus,
        cores=len(cores.cores),
        smt=cores.has_smt,
        quota_cpus=cores.quota_cpus,
        nodes=len(cores.nodes),
        threads=cores.default_threads,
    )
    load = host.system.load
    if load > _BUSY_SHARE * cores.logical_cpus:
        yield Finding(
            level=Level.WARNING,
            what="the machine is busy",
            detail=f"load {load:.1f} on {cores.logical_cpus} CPUs",
            remedy="stop other work; rounds are paired, but disturbed ones are thrown away and take time",
        )


def _system_findings(host: Inspection) -> Iterator[Finding]:
    system = host.system
    yield from system_findings(hypervisor=system.hypervisor, governor=system.governor, huge_pages=system.huge_pages)
    if system.available_bytes < _QUICK_BYTES:
        yield Finding(
            level=Level.WARNING,
            what=f"{show_bytes(system.available_bytes)} of memory are free",
            detail=f"preset quick plans with {show_bytes(_QUICK_BYTES)}; what does not fit stays undecided",
            remedy="free memory, or use --xeonperf-preset=smoke",
        )
    if system.swap_used_bytes:
        yield Finding(
            level=Level.WARNING,
            what=f"{show_bytes(system.swap_used_bytes)} are swapped out",
            detail="a swapped weight costs milliseconds",
            remedy="swapoff -a && swapon -a, once there is memory for it",
        )
    if system.throttled_ns:
        yield Finding(
            level=Level.NOTE,
            what="this cgroup has been throttled",
            detail=f"{system.throttled_ns / 1e9:.1f} s since it was made",
            remedy=WHOLE_CPUS,
        )
