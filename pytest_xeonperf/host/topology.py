"""Which cores this process may use, and which of them a measurement takes."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_CPUS = Path("/sys/devices/system/cpu")
_CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Core:
    """One logical CPU of the cpuset and where it sits; (package, core) is shared by hyper-threads."""

    node: int
    package: int
    core: int
    cpu: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """The cpuset of this process.

    Attributes:
        cores: One logical CPU for each physical core, sorted by NUMA node.
        logical_cpus: Logical CPUs in the cpuset.
        quota_cpus: CPU time the cgroup grants, in CPUs; `logical_cpus` where it sets no limit.
    """

    cores: tuple[Core, ...]
    logical_cpus: int
    quota_cpus: float

    @property
    def nodes(self) -> tuple[int, ...]:
        """NUMA nodes of the cpuset."""
        return tuple(sorted({core.node for core in self.cores}))

    @property
    def has_smt(self) -> bool:
        """Whether two logical CPUs of the cpuset share a physical core."""
        return self.logical_cpus > len(self.cores)

    @property
    def physical_cores(self) -> int:
        """Physical cores that can be kept busy at once: the cpuset's, or fewer where the cgroup grants less."""
        return max(1, min(len(self.cores), int(self.quota_cpus)))

    @property
    def default_threads(self) -> int:
        """Threads for one measurement: the physical cores of the largest NUMA node of the cpuset."""
        largest = max(sum(core.node == node for core in self.cores) for node in self.nodes)
        return min(largest, self.physical_cores)


def one_per_core(logical: Iterable[Core]) -> tuple[Core, ...]:
    """The first logical CPU of each physical core, sorted by NUMA node."""
    by_core = groupby(sorted(logical), key=lambda core: (core.node, core.package, core.core))
    return tuple(next(siblings) for _, siblings in by_core)


def choose_cpus(topology: Topology, threads: int) -> tuple[int, ...]:
    """Logical CPUs for so many threads: from one NUMA node if it is large enough, one a core while they last."""
    if threads > len(topology.cores):
        return ()  # more threads than cores: no pinning makes that better
    sizes = {node: [core.cpu for core in topology.cores if core.node == node] for node in topology.nodes}
    for cpus in sizes.values():
        if len(cpus) >= threads:
            return tuple(cpus[:threads])
    return tuple(core.cpu for core in topology.cores[:threads])


def parse_cpu_max(text: str, period_text: str = "") -> float:
    """CPUs granted by cgroup v2's ``cpu.max`` ("150000 100000") or v1's quota and period; infinite if unlimited."""
    quota, _, period = f"{text.strip()} {period_text.strip()}".strip().partition(" ")
    if quota in {"max", "-1", ""} or not period:
        return float("inf")
    return int(quota) / int(period)


def usable_cpus() -> tuple[int, ...]:
    """The CPUs that this process may run on, by number."""
    return tuple(sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


def read_topology() -> Topology:
    """The cpuset of this process: affinity, cgroup quota, cores and NUMA nodes."""
    cpus = usable_cpus()
    logical = [_locate(cpu) for cpu in cpus]
    return Topology(
        cores=one_per_core(logical),
        logical_cpus=len(cpus),
        quota_cpus=min(float(len(cpus)), _quota()),
    )


def _locate(cpu: int) -> Core:
    folder = _CPUS / f"cpu{cpu}"
    nodes = [int(found[1]) for entry in folder.glob("node*") if (found := re.fullmatch(r"node(\d+)", entry.name))]
    return Core(
        node=nodes[0] if nodes else 0,
        package=_number(folder / "topology/physical_package_id", 0),
        core=_number(folder / "topology/core_id", cpu),
        cpu=cpu,
    )


def _number(path: Path, otherwise: int) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return otherwise


def cgroup_files(controller: str, name: str) -> tuple[Path, ...]:
    """The files of that name from this process's cgroup up to the root, v2 first, then v1; those that exist."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    found: list[Path] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = _CGROUPS / controller if controllers else _CGROUPS
        here = root / path.lstrip("/")
        found += [folder / name for folder in (here, *here.parents) if folder.is_relative_to(root)]
    return tuple(path for path in found if path.is_file())


def _quota() -> float:
    """The tightest limit on the way up: a parent's binds as well."""
    limits = [parse_cpu_max(path.read_text(encoding="ascii")) for path in cgroup_files("cpu", "cpu.max")]
    for path in cgroup_files("cpu", "cpu.cfs_quota_us"):
        period = path.with_name("cpu.cfs_period_us").read_text(encoding="ascii")
        limits.append(parse_cpu_max(path.read_text(encoding="ascii"), period))
    return min(limits, default=float("inf"))
