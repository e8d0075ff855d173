"""Warm-up that ends when compilation is over and times have settled, and what is seen on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.measure.clock import time_call_ns
from pytest_xeonperf.measure.compilation import Compilation, compilation_so_far
from pytest_xeonperf.measure.fidelity import keep
from pytest_xeonperf.measure.onednn_log import listening

if TYPE_CHECKING:
    from pytest_xeonperf.workloads.protocol import Step

_SETTLED_RATIO = 0.9
"""Two calls whose times are as close as this, whichever was faster, have settled."""
_MAX_CALLS = 12
_LONG_CALL_NS = 8 * 1_000_000_000
"""After a call this long, first-touch costs have drowned: one more would buy nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """A step that is ready to be timed, and what was learnt while it got there.

    Attributes:
        output: A copy of what the step returned.
        duration_ns: Of all calls, compilation included.
        call_ns: Of the last call.
        kernels: Operators of one call as the profiler saw them, most self time first; then what oneDNN says it ran.
        flop: Counted operations of one call; 0 where not asked for.
        compiled: What Dynamo did.
    """

    output: object
    duration_ns: int
    call_ns: int
    kernels: tuple[str, ...]
    flop: int
    compiled: Compilation


def warm_up(step: Step, *, count_flop: bool = False) -> WarmUp:
    """Call a step until nothing is compiled any more and its times have settled.

    Args:
        step: What will be timed.
        count_flop: Count the operations of the first call; only an eager step can be counted.

    Raises:
        InfrastructureError: It compiles something anew on every call.
    """
    before = compilation_so_far()
    durations_ns: list[int] = []
    flop = 0
    kernels: tuple[str, ...] = ()
    for call in range(_MAX_CALLS):
        graphs_before = compilation_so_far().graphs
        if call == 0 and count_flop:
            duration_ns, output, flop = counted(step)
        elif call == 1 and not count_flop:
            duration_ns, output, kernels = _profiled(step)
        else:
            duration_ns, output = time_call_ns(step)
        durations_ns.append(duration_ns)
        compiling = compilation_so_far().graphs > graphs_before
        if not compiling and (kernels or count_flop) and _has_settled(durations_ns):
            break
    else:
        if compiling:
            raise InfrastructureError(
                f"still compiling after {_MAX_CALLS} calls", remedy="look for shapes or Python values that change"
            )
    return WarmUp(
        output=keep(output),
        duration_ns=sum(durations_ns),
        call_ns=durations_ns[-1],
        kernels=kernels,
        flop=flop,
        compiled=compilation_so_far().since(before),
    )


def _has_settled(durations_ns: list[int]) -> bool:
    """Two calls at least, the last about as long as the one before; a single one if it was very long."""
    if len(durations_ns) == 1:
        return durations_ns[0] > _LONG_CALL_NS
    shorter_ns, longer_ns = sorted(durations_ns[-2:])
    return shorter_ns >= _SETTLED_RATIO * longer_ns


def counted(step: Step) -> tuple[int, object, int]:
    """Nanoseconds of one call of an eager step, what it returned, and the operations it took."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        duration_ns, output = time_call_ns(step)
    return duration_ns, output, counter.get_total_flops()


def _profiled(step: Step) -> tuple[int, object, tuple[str, ...]]:
    from torch.profiler import ProfilerActivity, profile

    with listening() as libraries_own, profile(activities=[ProfilerActivity.CPU]) as profiler:
        duration_ns, output = time_call_ns(step)
    events = sorted(profiler.key_averages(), key=lambda event: event.self_cpu_time_total, reverse=True)
    return duration_ns, output, (*(event.key for event in events), *libraries_own)
