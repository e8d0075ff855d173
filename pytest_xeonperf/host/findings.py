"""What about this host deserves a word, and what to do about it: pure rules over what was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.host.compiler import COMPILER_REMEDY, Compiler
from pytest_xeonperf.host.libraries import Role
from pytest_xeonperf.records import Isa, Remedy
from pytest_xeonperf.units import show_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.host.cpu import Cpu
    from pytest_xeonperf.host.inspection import Inspection
    from pytest_xeonperf.host.probe import Trial

_QUICK_BYTES = 20 << 30
_BUSY_SHARE = 0.5


class Level(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing worth knowing; `remedy` is empty where nothing has to be done."""

    level: Level
    what: str
    detail: str
    remedy: str = ""


def findings(host: Inspection) -> tuple[Finding, ...]:
    """Everything there is to say, what matters most first."""
    found = [
        *processor_findings(host.cpu),
        *_amx_findings(host),
        *_software_findings(host),
        *_core_findings(host),
        *_system_findings(host),
    ]
    return tuple(sorted(found, key=lambda finding: -list(Level).index(finding.level)))


def processor_findings(cpu: Cpu) -> Iterator[Finding]:
    """Whether this is a processor that the models and floors were made for."""
    if not cpu.is_x86:
        yield Finding(
            level=Level.PROBLEM,
            what=f"{cpu.architecture} is not x86-64",
            detail="the accelerated kernels and the floors are for Xeon; models run, no floor applies",
            remedy="measure on a Xeon of the 4th generation or later",
        )
    elif cpu.isa.rank < Isa.AVX512.rank:
        yield Finding(
            level=Level.PROBLEM,
            what="no AVX-512",
            detail=f"{cpu.model_name} offers {cpu.isa}; BF16 is emulated and slower than FP32",
            remedy="measure on a machine with AVX-512; floors given for this isa= still apply",
        )
    elif not cpu.is_intel:
        yield Finding(
            level=Level.NOTE,
            what="not an Intel processor",
            detail=f"{cpu.model_name} ({cpu.vendor}); floors for {cpu.isa} apply, the blog's figures are for Xeon",
        )


def _amx_findings(host: Inspection) -> Iterator[Finding]:
    amx, tried = host.machine.amx, host.probe
    if host.cpu.is_x86 and tried.advertised is Isa.AVX512_BF16 and not tried.plain.worked:
        yield Finding(level=Level.PROBLEM, what="BF16 does not work", detail=_story("oneDNN", tried.plain))
    given = dict(host.machine.facts).get("env.ONEDNN_MAX_CPU_ISA", "")
    if given and amx.remedy is not Remedy.CAP:
        yield Finding(
            level=Level.WARNING,
            what=f"ONEDNN_MAX_CPU_ISA={given} is set in your environment",
            detail="oneDNN obeys it, and every trial was made under it",
            remedy="unset it and use --xeonperf-amx=cap where that is what you want",
        )
    if tried.advertised is not Isa.AMX_BF16:
        yield Finding(level=Level.NOTE, what="AMX is not advertised", detail=f"usable here: {host.machine.isa}")
        return
    trials = {"as it is": tried.plain, "repaired": tried.repaired, "capped": tried.capped}
    story = "; ".join(_story(name, trial) for name, trial in trials.items())
    if amx.usable_by_onednn and amx.remedy is Remedy.NONE:
        yield Finding(level=Level.GOOD, what="AMX works in oneDNN", detail=story)
    elif amx.remedy is Remedy.REPAIR:
        yield Finding(
            level=Level.NOTE,
            what="AMX works in oneDNN once its tile palette is repaired",
            detail=f"{story}. The hypervisor hides CPUID leaf 0x1D; xeonperf answers it in its own processes",
            remedy="other programs will die of SIGILL here: give them ONEDNN_MAX_CPU_ISA=AVX512_CORE_FP16",
        )
    else:
        yield Finding(
            level=Level.WARNING,
            what="AMX is advertised and oneDNN cannot use it",
            detail=f"{story}. BF16 runs on AVX-512 and may be slower than FP32",
            remedy="run on metal, or on a hypervisor that passes CPUID leaves 0x1D and 0x1E on",
        )
    good = tried.inductor.worked
    yield Finding(
        level=Level.GOOD if good else Level.WARNING,
        what="AMX instructions of Inductor's micro-kernels work"
        if good
        else "Inductor's AMX micro-kernels cannot work",
        detail=_story("trial program", tried.inductor),
    )


def _software_findings(host: Inspection) -> Iterator[Finding]:
    if not host.torch:
        yield Finding(
            level=Level.PROBLEM,
            what="torch is not installed",
            detail="nothing can be measured",
            remedy="pip install 'pytest-xeonperf[models]' --extra-index-url https://download.pytorch.org/whl/cpu",
        )
    if isinstance(host.compiler, Compiler):
        yield Finding(level=Level.GOOD, what="C++ compiler works", detail=host.compiler.version)
    else:
        yield Finding(
            level=Level.PROBLEM,
            what="no working C++ compiler",
            detail=f"{host.compiler.reason}; compiled variants are skipped",
            remedy=COMPILER_REMEDY,
        )
    if host.torchvision:
        yield Finding(
            level=Level.PROBLEM,
            what="torchvision is installed and broken",
            detail=f"{host.torchvision}; transformers finds it and fails with it",
            remedy="pip uninstall torchvision, or install the build for this torch from PyTorch's CPU wheel index",
        )
    for role, package in ((Role.ALLOCATOR, "libtcmalloc-minimal4 (apt)"), (Role.OPENMP, "intel-openmp (pip)")):
        present = [library for library in host.libraries if library.role is role]
        yield Finding(
            level=Level.GOOD if present else Level.NOTE,
            what=f"{role}: {present[0].path}" if present else f"no {role} to preload",
            detail="preloaded for baseline and candidate alike" if present else "the default one is used",
            remedy="" if present else f"optional: {package}",
        )


def _core_findings(host: Inspection) -> Iterator[Finding]:
    cores = host.topology
    if cores.has_smt:
        yield Finding(
            level=Level.NOTE,
            what="hyper-threading is on",
            detail=f"{cores.logical_cpus} logical CPUs on {len(cores.cores)} cores; one thread a core is used",
        )
    if cores.quota_cpus < len(cores.cores):
        yield Finding(
            level=Level.WARNING,
            what="the cgroup's CPU quota is below the cpuset",
            detail=f"{cores.quota_cpus:g} CPUs of {len(cores.cores)}; threads are stopped in mid-measurement",
            remedy="give the container whole CPUs (--cpuset-cpus, or a static CPU manager), no quota",
        )
    if len(cores.nodes) > 1:
        yield Finding(
            level=Level.NOTE,
            what=f"{len(cores.nodes)} NUMA nodes",
            detail=f"measurements stay on one, with {cores.default_threads} threads",
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
    if system.hypervisor:
        yield Finding(
            level=Level.NOTE,
            what=f"virtual machine: {system.hypervisor}",
            detail="neighbours on the host share caches, memory bandwidth and turbo",
        )
    if system.governor and system.governor != "performance":
        yield Finding(
            level=Level.WARNING,
            what=f"frequency governor is {system.governor}",
            detail="clocks follow the load, and short measurements see them rise",
            remedy="sudo cpupower frequency-set -g performance",
        )
    if system.huge_pages == "never":
        yield Finding(
            level=Level.NOTE,
            what="transparent huge pages are off",
            detail="large weights cost more TLB misses",
            remedy="echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
        )
    if system.available_bytes < _QUICK_BYTES:
        yield Finding(
            level=Level.WARNING,
            what=f"{show_bytes(system.available_bytes)} of memory are free",
            detail=f"preset quick plans with {show_bytes(_QUICK_BYTES)}; what does not fit is skipped with the figures",
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
        )


def _story(name: str, trial: Trial) -> str:
    detail = f" ({trial.detail})" if trial.detail else ""
    amx = " on AMX" if trial.used_amx else ""
    return f"{name}: {trial.finish}{amx}{detail}"
