"""What else used the cores while something ran: stolen by the hypervisor, taken by other processes, or throttled."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic_ns

import psutil

from pytest_xeonperf.host.system import throttled_ns
from pytest_xeonperf.host.topology import usable_cpus
from pytest_xeonperf.records import Contention, Unknown

_IDLE = frozenset({"idle", "iowait", "steal", "guest", "guest_nice"})  # guests are counted in user and nice already


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The kernel's counters at one moment, in nanoseconds.

    Attributes:
        busy_ns: Of all CPUs that this process may use together: whatever ran on them.
        own_ns: Of this process and the children it has waited for; of those that live, where that was asked for.
        stolen_ns: For which the hypervisor ran something else although there was work.
        throttled_ns: For which the cgroup's quota stopped this group.
    """

    at_ns: int
    cpus: tuple[int, ...]
    busy_ns: int
    own_ns: int
    stolen_ns: int
    throttled_ns: int


def read_counters(*, with_children: bool = False) -> Reading | Unknown:
    """The counters now; they advance in steps of about ten milliseconds.

    Args:
        with_children: Whether what living descendants of this process do is its own: those that have ended and were
            waited for always are.
    """
    cpus = usable_cpus()
    per_cpu = psutil.cpu_times(percpu=True)
    if not hasattr(psutil.cpu_times(), "steal") or len(per_cpu) <= max(cpus):
        return Unknown(reason="the kernel of this machine does not count it")
    times = [per_cpu[cpu]._asdict() for cpu in cpus]
    own_s = _own_s(psutil.Process())
    if with_children:
        own_s += sum(map(_own_s, psutil.Process().children(recursive=True)))
    busy_s = sum(seconds for each in times for name, seconds in each.items() if name not in _IDLE)
    return Reading(
        at_ns=monotonic_ns(),
        cpus=cpus,
        busy_ns=_ns(busy_s),
        own_ns=_ns(own_s),
        stolen_ns=_ns(sum(each["steal"] for each in times)),
        throttled_ns=throttled_ns(),
    )


def between(before: Reading | Unknown, after: Reading | Unknown) -> Contention | Unknown:
    """What happened from one reading to a later one of the same process."""
    if isinstance(before, Unknown):
        return before
    if isinstance(after, Unknown):
        return after
    busy_ns, own_ns = after.busy_ns - before.busy_ns, after.own_ns - before.own_ns
    return Contention(
        elapsed_ns=max(0, after.at_ns - before.at_ns),
        cores=len(after.cpus),
        stolen_ns=max(0, after.stolen_ns - before.stolen_ns),
        others_ns=max(0, busy_ns - own_ns),
        throttled_ns=max(0, after.throttled_ns - before.throttled_ns),
    )


def _own_s(process: psutil.Process) -> float:
    """CPU time of a process and of the children it has waited for; nothing of one that is just gone."""
    try:
        own = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(own.user + own.system + own.children_user + own.children_system)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
