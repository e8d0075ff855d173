"""Which operators explain that a call takes longer or shorter than it did.

The profiler makes calls slower, each by another amount, so times are not compared as it saw them: an operator's share
of the profiled call is taken for its share of the timed one. The differences of all operators then add up to the
difference of the calls. What it costs to profile many short operators counts as theirs, and one call tells the shares,
the quietest of a few: they are good to some percent of a call, and to ten on a machine that others use as well. Where
all operators are slower in step, as on a slower machine, each explains its own share.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import log
from typing import TYPE_CHECKING

from pytest_xeonperf.measure.operators import stable_name
from pytest_xeonperf.records import OTHER_OPERATORS, OUTSIDE_OPERATORS, Unknown
from pytest_xeonperf.units import show_change

if TYPE_CHECKING:
    from pytest_xeonperf.records import Evidence, Measurement, Operator

_WORTH_SAYING = 0.05
"""Share of the change below which an operator is not among those that explain it."""

_NO_OPERATORS = frozenset({OTHER_OPERATORS, OUTSIDE_OPERATORS})


class Fate(StrEnum):
    """What became of an operator."""

    APPEARED = "appeared"
    VANISHED = "vanished"
    SLOWER = "slower"
    FASTER = "faster"
    SAME = "as fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one operator contributes to the change of a call.

    Attributes:
        before_ns: Of one timed call, in it alone: its share of the profiled one.
        after_ns: The same of the later run.
        calls_before: In one call; 0 where it is not among those kept by name.
    """

    name: str
    fate: Fate
    before_ns: float
    after_ns: float
    calls_before: int
    calls_after: int

    @property
    def difference_ns(self) -> float:
        """By how much it made the call longer; negative where shorter."""
        return self.after_ns - self.before_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The change of a call, operator by operator.

    Attributes:
        before_ns: One timed call of the earlier run.
        after_ns: One timed call of the later run.
        contributions: Of all operators, those that contribute most first, whichever way.
    """

    before_ns: int
    after_ns: int
    contributions: tuple[Contribution, ...]

    @property
    def difference_ns(self) -> int:
        """By how much the call became longer; negative where shorter."""
        return self.after_ns - self.before_ns

    def share_of(self, *contributions: Contribution) -> float:
        """Of the change that is theirs; above 1 where others went the other way."""
        return sum(each.difference_ns for each in contributions) / self.difference_ns

    @property
    def leading(self) -> tuple[Contribution, ...]:
        """Those that went the way of the call by a share that is worth saying, most first."""
        return tuple(each for each in self.contributions if self.share_of(each) >= _WORTH_SAYING)


def explain(before: Measurement, after: Measurement, *, tolerance: float) -> Explanation | Unknown:
    """Which operators explain the change of one case's call between two runs.

    Args:
        before: As measured in the run that is compared with.
        after: As measured in the run that is judged.
        tolerance: A latency that differs by less is noise: 0.05 is 5 %. So is the time of an operator.
    """
    before_ns, after_ns = _call_ns(before), _call_ns(after)
    if min(before_ns, after_ns) <= 0:
        return Unknown(reason="a call is shorter than the clock can tell")
    if abs(log(after_ns / before_ns)) <= log(1 + tolerance):
        return Unknown(reason=f"the call takes {show_change(after_ns / before_ns)} time, which is within noise")
    one, other = _shares(before.evidence), _shares(after.evidence)
    if isinstance(one, Unknown):
        return Unknown(reason=f"the operators of base are unknown: {one.reason}")
    if isinstance(other, Unknown):
        return Unknown(reason=f"the operators of head are unknown: {other.reason}")
    reached = _reached(before.evidence), _reached(after.evidence)
    contributions = []
    for name in one.keys() | other.keys():
        (share_before, calls_before), (share_after, calls_after) = one.get(name, _NONE), other.get(name, _NONE)
        times_ns = share_before * before_ns, share_after * after_ns
        contributions.append(
            Contribution(
                name=name,
                fate=_fate(times_ns, tuple(name in names or name in _NO_OPERATORS for names in reached), tolerance),
                before_ns=times_ns[0],
                after_ns=times_ns[1],
                calls_before=calls_before,
                calls_after=calls_after,
            )
        )
    contributions.sort(key=lambda each: (-abs(each.difference_ns), each.name))
    return Explanation(before_ns=before_ns, after_ns=after_ns, contributions=tuple(contributions))


_NONE = (0.0, 0)


def _call_ns(measurement: Measurement) -> int:
    return measurement.candidate_median_ns * measurement.items_per_call


def _shares(evidence: Evidence) -> dict[str, tuple[float, int]] | Unknown:
    """By operator its share of the profiled call, and its calls."""
    operators = evidence.operators
    if isinstance(operators, Unknown):
        return operators
    whole_ns = sum(each.self_ns for each in operators)
    if whole_ns <= 0 or any(each.self_ns < 0 for each in operators):
        return Unknown(reason="they took no time")
    merged: dict[str, tuple[float, int]] = {}
    for each in operators:
        share, calls = merged.get(each.name, _NONE)
        merged[each.name] = (share + each.self_ns / whole_ns, calls + each.calls)
    return merged


def _reached(evidence: Evidence) -> frozenset[str]:
    """Every operator that ran: also those which took too little time to be kept with it."""
    operators: tuple[Operator, ...] = () if isinstance(evidence.operators, Unknown) else evidence.operators
    return frozenset(map(stable_name, evidence.kernels)) | {each.name for each in operators}


def _fate(times_ns: tuple[float, float], reached: tuple[bool, ...], tolerance: float) -> Fate:
    before, after = reached
    if before != after:
        return Fate.APPEARED if after else Fate.VANISHED
    before_ns, after_ns = times_ns
    if before_ns == after_ns or (min(times_ns) > 0 and abs(log(after_ns / before_ns)) <= log(1 + tolerance)):
        return Fate.SAME
    return Fate.SLOWER if after_ns > before_ns else Fate.FASTER


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """Kernels that only one of two runs reached, by the names that are the same in every run."""

    appeared: tuple[str, ...]
    vanished: tuple[str, ...]


def dispatch(before: Evidence, after: Evidence) -> Dispatch | Unknown:
    """Which kernels appeared and vanished, whatever that did to the times; oneDNN's with their instruction sets."""
    for side, evidence in (("base", before), ("head", after)):
        if not evidence.kernels:
            return Unknown(reason=f"no kernels were recorded of {side}")
    old, new = _reached(before) - _NO_OPERATORS, _reached(after) - _NO_OPERATORS
    return Dispatch(appeared=tuple(sorted(new - old)), vanished=tuple(sorted(old - new)))
