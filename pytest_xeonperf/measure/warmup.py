"""Warm-up that ends when compilation is over and times have settled, and what is seen on the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.measure.clock import time_call_ns
from pytest_xeonperf.measure.compilation import Compilation, compilation_so_far
from pytest_xeonperf.measure.fidelity import keep
from pytest_xeonperf.measure.profiling import Profile, profiled, quietest
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.records import Operator
    from pytest_xeonperf.workloads.protocol import Step

_SETTLED_RATIO = 0.9
"""Two calls whose times are as close as this, whichever was faster, have settled."""
_MAX_CALLS = 12
_LONG_CALL_NS = 2 * 1_000_000_000
"""In a call this long first-touch costs drown: another one before the rounds would buy nothing."""
_UNPROFILED = Unknown(reason="no call of it was profiled: its operations were counted")


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmUp:
    """A step that is ready to be timed, and what was learnt while it got there.

    Attributes:
        output: A copy of what the step returned.
        duration_ns: Of all calls, compilation included.
        call_ns: Of the last call.
        kernels: Operators of one call as the profiler saw them, most self time first; then what oneDNN says it ran.
        operators: Those of them that took most time, then the rest of the call.
        flop: Counted operations of one call; 0 where not asked for.
        compiled: What Dynamo did.
    """

    output: object
    duration_ns: int
    call_ns: int
    kernels: tuple[str, ...]
    operators: tuple[Operator, ...] | Unknown
    flop: int
    compiled: Compilation


def warm_up(step: Step, *, count_flop: bool = False, makes_code: bool = True) -> WarmUp:
    """Call a step until nothing is compiled any more and its times have settled.

    The second call runs under the profiler, and the one after it again where something was compiled meanwhile: the
    times of a compiler explain nothing; a short one some times more, once it is warm. Of a step that makes no code a
    long first call will do. A step whose operations are counted, the eager baseline, is not profiled.

    Args:
        step: What will be timed.
        count_flop: Count the operations of the first call; only an eager step can be counted.
        makes_code: Its first call compiles or converts.

    Raises:
        InfrastructureError: It compiles something anew on every call.
    """
    before = compilation_so_far()
    durations_ns: list[int] = []
    flop = 0
    profile: Profile | Unknown = _UNPROFILED
    for call in range(_MAX_CALLS):
        graphs_before = compilation_so_far().graphs
        if call == 0 and count_flop:
            duration_ns, output, flop = counted(step)
        elif (call or not makes_code) and isinstance(profile, Unknown) and not count_flop:
            output, profile = profiled(step, time_call_ns)
            duration_ns = profile.duration_ns
        else:
            duration_ns, output = time_call_ns(step)
        durations_ns.append(duration_ns)
        compiling = compilation_so_far().graphs > graphs_before
        if compiling or (call == 0 and duration_ns <= _LONG_CALL_NS):
            profile = _UNPROFILED
        elif (count_flop or not isinstance(profile, Unknown)) and _has_settled(durations_ns):
            break
    else:
        if compiling:
            raise InfrastructureError(
                f"still compiling after {_MAX_CALLS} calls", remedy="look for shapes or Python values that change"
            )
    kept = keep(output)
    if not isinstance(profile, Unknown):
        profile = quietest(step, profile)
    return WarmUp(
        output=kept,
        duration_ns=sum(durations_ns),
        call_ns=durations_ns[-1],
        kernels=() if isinstance(profile, Unknown) else profile.kernels,
        operators=profile if isinstance(profile, Unknown) else profile.operators,
        flop=flop,
        compiled=compilation_so_far().since(before),
    )


def _has_settled(durations_ns: list[int]) -> bool:
    """The last call, in which nothing was compiled, was very long, or about as long as the one before."""
    if durations_ns[-1] > _LONG_CALL_NS:
        return True
    if len(durations_ns) == 1:
        return False
    shorter_ns, longer_ns = sorted(durations_ns[-2:])
    return shorter_ns >= _SETTLED_RATIO * longer_ns


def counted(step: Step) -> tuple[int, object, int]:
    """Nanoseconds of one call of an eager step, what it returned, and the operations it took."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter:
        duration_ns, output = time_call_ns(step)
    return duration_ns, output, counter.get_total_flops()
