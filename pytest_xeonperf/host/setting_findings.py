"""What about the settings of a machine deserves a word, whether it was looked at just now or in a run of last year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.host.finding import NOTHING_TO_DO, Finding, Level
from pytest_xeonperf.records import Remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.records import Machine

WHOLE_CPUS = "give the container whole CPUs (--cpuset-cpus, or a static CPU manager), no quota"
"""What to do about a quota."""


def core_findings(
    *, logical_cpus: int, cores: int, smt: bool, quota_cpus: float, nodes: int, threads: int
) -> Iterator[Finding]:
    """Hyper-threading, a quota below the cpuset, and more than one NUMA node.

    Args:
        logical_cpus: In the cpuset, as are the others.
        cores: Physical ones.
        smt: Whether some share a core.
        quota_cpus: What the cgroup allows.
        nodes: Of memory.
        threads: Of a measurement.
    """
    if smt:
        yield Finding(
            level=Level.NOTE,
            what="hyper-threading is on",
            detail=f"{logical_cpus} logical CPUs on {cores} cores; one thread a core is used",
            remedy="keep other work off the second threads: echo off | sudo tee /sys/devices/system/cpu/smt/control",
        )
    if quota_cpus < cores:
        yield Finding(
            level=Level.WARNING,
            what="the cgroup's CPU quota is below the cpuset",
            detail=f"{quota_cpus:g} CPUs of {cores}; threads are stopped in mid-measurement",
            remedy=WHOLE_CPUS,
        )
    if nodes > 1:
        yield Finding(
            level=Level.NOTE,
            what=f"{nodes} NUMA nodes",
            detail=f"measurements stay on one, with {threads} threads",
            remedy="for another one, start with numactl --cpunodebind=1 --membind=1; for more cores than one has, "
            "--xeonperf-threads",
        )


def system_findings(*, hypervisor: str, governor: str, huge_pages: str) -> Iterator[Finding]:
    """What the kernel and whoever is below it do; an empty text says nothing."""
    if hypervisor:
        yield Finding(
            level=Level.NOTE,
            what=f"virtual machine ({hypervisor})",
            detail="neighbours on the host share caches, memory bandwidth and turbo",
            remedy=f"{NOTHING_TO_DO}, since rounds are paired; on metal figures scatter less",
        )
    if governor and governor != "performance":
        yield Finding(
            level=Level.WARNING,
            what=f"frequency governor is {governor}",
            detail="clocks follow the load, and short measurements see them rise",
            remedy="sudo cpupower frequency-set -g performance",
        )
    if huge_pages == "never":
        yield Finding(
            level=Level.NOTE,
            what="transparent huge pages are off",
            detail="large weights cost more TLB misses",
            remedy="echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
        )


def isa_findings(machine: Machine) -> Iterator[Finding]:
    """Whether the user's own settings stand in the way of AMX."""
    given = dict(machine.facts).get("env.ONEDNN_MAX_CPU_ISA", "")
    if given and machine.amx.remedy is not Remedy.CAP:
        yield Finding(
            level=Level.WARNING,
            what=f"ONEDNN_MAX_CPU_ISA={given} is set in your environment",
            detail="oneDNN obeys it, and every trial was made under it",
            remedy="unset it and use --xeonperf-amx=cap where that is what you want",
        )
