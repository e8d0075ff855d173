"""What the operating system does with the machine: kernel, hypervisor, governor, huge pages, memory, load."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

import psutil

from pytest_xeonperf.host.topology import cgroup_files

_UNLIMITED_BYTES = 1 << 60
"""cgroup v1 writes "no limit" as a number near 2**63."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The state of the machine at one moment; empty text where it says nothing.

    Attributes:
        hypervisor: Its name, ``unknown hypervisor`` where there is one without a name, empty on bare metal.
        governor: Frequency governor of the first CPU, empty where the host decides.
        huge_pages: Policy of transparent huge pages: always, madvise or never.
        memory_bytes: What this process may use at all: physical memory, or the cgroup's limit if that is less.
        available_bytes: What it could allocate now without swapping.
        throttled_ns: Time for which the cgroup's CPU quota has stopped this group since it was made.
        load: Runnable tasks, averaged over a minute.
    """

    kernel: str
    hypervisor: str
    governor: str
    huge_pages: str
    memory_bytes: int
    available_bytes: int
    swap_used_bytes: int
    throttled_ns: int
    load: float


def parse_choice(text: str) -> str:
    """The chosen word of a sysfs file like ``always [madvise] never``."""
    chosen = re.search(r"\[(\w+)\]", text)
    return chosen[1] if chosen else text.strip()


def name_hypervisor(flags: frozenset[str], kernel: str, vendor: str, product: str) -> str:
    """The hypervisor from what it leaves lying about: DMI names, Firecracker's kernel and its missing DMI."""
    known = {
        "Amazon EC2": "AWS Nitro", "Google": "Google Compute Engine", "Microsoft Corporation": "Hyper-V",
        "QEMU": "QEMU/KVM", "VMware, Inc.": "VMware", "Xen": "Xen", "Alibaba Cloud": "Alibaba Cloud KVM",
    }  # fmt: skip
    if vendor in known:
        return "" if "metal" in product else known[vendor]
    if "hypervisor" not in flags:
        return ""
    return "Firecracker" if not vendor and re.search(r"-fc\b|firecracker", kernel) else "unknown hypervisor"


def read_system(flags: frozenset[str]) -> System:
    """The state of the machine now."""
    memory = psutil.virtual_memory()
    limit_bytes, used_bytes = _cgroup_memory()
    kernel = platform.release()
    dmi = Path("/sys/class/dmi/id")
    return System(
        kernel=kernel,
        hypervisor=name_hypervisor(flags, kernel, _text(dmi / "sys_vendor"), _text(dmi / "product_name")),
        governor=_text(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        huge_pages=parse_choice(_text(Path("/sys/kernel/mm/transparent_hugepage/enabled"))),
        memory_bytes=min(memory.total, limit_bytes),
        available_bytes=max(0, min(memory.available, limit_bytes - used_bytes)),
        swap_used_bytes=psutil.swap_memory().used,
        throttled_ns=throttled_ns(),
        load=os.getloadavg()[0],
    )


def parse_throttled_ns(cpu_stat: str) -> int:
    """Throttled time from a cgroup's ``cpu.stat``: ``throttled_usec`` in v2, ``throttled_time`` (ns) in v1."""
    found = dict(line.split() for line in cpu_stat.splitlines() if len(line.split()) == 2)  # noqa: PLR2004
    return int(found.get("throttled_usec", 0)) * 1000 or int(found.get("throttled_time", 0))


def throttled_ns() -> int:
    """Time for which CPU quotas have stopped this cgroup, or one around it, since it was made."""
    return max((parse_throttled_ns(_text(path)) for path in cgroup_files("cpu", "cpu.stat")), default=0)


def _cgroup_memory() -> tuple[int, int]:
    """The tightest memory limit of the cgroup and its parents, and what is used of it, page cache left out."""
    tightest = (_UNLIMITED_BYTES, 0)
    for limit_name, usage_name in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        for path in cgroup_files("memory", limit_name):
            limit = _text(path)
            if limit.isdigit() and int(limit) < tightest[0]:
                used = int(_text(path.with_name(usage_name)) or 0) - _reclaimable(path.with_name("memory.stat"))
                tightest = (int(limit), max(0, used))
    return tightest


def _reclaimable(memory_stat: Path) -> int:
    lines = (line.split() for line in _text(memory_stat).splitlines())
    return sum(int(value) for name, value in lines if name in {"inactive_file", "active_file"})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
