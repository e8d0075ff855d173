"""One call under torch's profiler: which kernels it reached, and where its time went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.measure import clock
from pytest_xeonperf.measure.onednn_log import listening
from pytest_xeonperf.measure.operators import Seen, operators_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Operator, Unknown
    from pytest_xeonperf.workloads.protocol import Step

_NS_OF_US = 1000
_MORE_CALLS = 5
_MORE_NS = 200_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the profiler saw of one call.

    Attributes:
        kernels: Names of operators, most self time first; then what oneDNN says it ran.
        operators: Those of them that took most time, then the rest of the call.
    """

    duration_ns: int
    kernels: tuple[str, ...]
    operators: tuple[Operator, ...] | Unknown


def profiled(step: Step, time_call_ns: Callable[[Step], tuple[int, object]]) -> tuple[object, Profile]:
    """What a call returned, and what the profiler saw of it."""
    from torch.profiler import ProfilerActivity, profile

    with listening() as libraries_own, profile(activities=[ProfilerActivity.CPU]) as profiler:
        duration_ns, output = time_call_ns(step)
    events = sorted(profiler.key_averages(), key=lambda event: event.self_cpu_time_total, reverse=True)
    seen = [
        Seen(name=event.key, self_ns=round(event.self_cpu_time_total * _NS_OF_US), calls=event.count)
        for event in events
    ]
    return output, Profile(
        duration_ns=duration_ns,
        kernels=(*(each.name for each in seen), *libraries_own),
        operators=operators_of(seen, duration_ns),
    )


def quietest(step: Step, first: Profile) -> Profile:
    """The profile of an undisturbed call: of the first and some more the shortest, with the kernels of the first.

    A call of a millisecond is easily made twenty times as long by another process, or by what only an early call does,
    and then its operators tell of that. A long call is profiled once: it costs, and such things drown in it.
    """
    best, spent_ns = first, 0
    for _ in range(_MORE_CALLS):
        if spent_ns + best.duration_ns > _MORE_NS:
            break
        _output, found = profiled(step, clock.time_call_ns)
        spent_ns += found.duration_ns
        best = min(best, found, key=lambda each: each.duration_ns)
    return Profile(duration_ns=best.duration_ns, kernels=first.kernels, operators=best.operators)
