"""What changed between two commits that were measured in the same rounds: which side moved, by how much, how surely.

Each round runs every variant of both commits once, in random order, so a pair of the same variant from base and head
differs by the code alone. Per case there are three ratios, each above 1 where head is faster:

    own       base / head of the variant itself: what a user waits for
    baseline  base / head of the variant it is compared with, eager FP32 for one
    speedup   own / baseline: the change of the speed-up (the interaction of the two by two), in which the machine and
              whatever slows both variants cancel

A case is slower when the sequential test of `betting` refutes "head is no slower" *and* the estimate is beyond the
tolerance; it has held when the same test refutes "head is slower than the tolerance". So on code that does not change
speed the chance of calling a case slower is at most the rule's rate, and a slow-down beyond the tolerance passes with
at most alpha, however often one looks. In between, more rounds are needed. What two looks come to: `looks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import exp, inf, log
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.betting import FEWEST_PAIRS, Decision, decide, estimate, least_ratio, pairs_to_decide
from pytest_xeonperf.judge.outlook import would_do
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.units import show_change, show_slowdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.verdict import Levels
    from pytest_xeonperf.records import Estimate

_NOBODY_KNOWS = Unknown(reason="nobody measured how long a round takes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """One variant in every round: a call of base and one of head."""

    base_ns: tuple[int, ...]
    head_ns: tuple[int, ...]

    def logs(self) -> tuple[float, ...]:
        """Paired ``log(base / head)`` in the order of the rounds.

        Raises:
            DataError: A duration is not positive: the clock, not the code, is at fault.
        """
        pairs = list(zip(self.base_ns, self.head_ns, strict=True))
        if any(min(pair) <= 0 for pair in pairs):
            raise DataError(
                f"a duration of {min(map(min, pairs))} ns",
                remedy="durations are positive; look for a clock that went backwards",
            )
        return tuple(log(base_ns / head_ns) for base_ns, head_ns in pairs)

    def then(self, later: Times) -> Times:
        """These rounds and later ones."""
        return Times(base_ns=self.base_ns + later.base_ns, head_ns=self.head_ns + later.head_ns)


class Moved(Enum):
    """Which side of the speed-up is different at head."""

    NEITHER = "neither side moved"
    CANDIDATE = "the variant moved, its baseline did not"
    BASELINE = "its baseline moved, the variant did not"
    BOTH = "the variant and its baseline moved"
    UNKNOWN = "it has no baseline in these rounds"

    @classmethod
    def of(cls, *, candidate: bool, baseline: bool) -> Moved:
        """By whether each side has moved."""
        if candidate:
            return cls.BOTH if baseline else cls.CANDIDATE
        return cls.BASELINE if baseline else cls.NEITHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How one case moved from base to head.

    Attributes:
        baseline: Of the case's baseline, where it was in the rounds.
        speedup: Head's speed-up over base's.
        base_ns: Median of one call at base.
        head_ns: Median of one call at head.
        excluded_slowdown: The smallest slow-down that would have been seen, at the chance of error of a pass: 0.02 is
            2 %. Below the tolerance where head has held, negative where head is faster for sure, infinite where
            nothing is excluded.
    """

    pairs: int
    own: Estimate
    baseline: Estimate | Unknown
    speedup: Estimate | Unknown
    moved: Moved
    base_ns: int
    head_ns: int
    excluded_slowdown: float


def change_of(own: Times, baseline: Times | Unknown, *, alpha: float, tolerance: float) -> Change:
    """What the rounds say of one case.

    Args:
        own: The variant.
        baseline: What it is compared with, in the same rounds from the first on; it may have left them earlier.
        alpha: One minus the confidence of every interval.
        tolerance: A side has moved if its interval excludes 1 and it is further from it than this: 0.02 is 2 %.

    Raises:
        DataError: There are no pairs, or a duration is not positive.
    """
    logs = own.logs()
    own_ratio = estimate(logs, alpha=alpha)
    least = least_ratio(logs, alpha=alpha)
    other: Estimate | Unknown
    speedup: Estimate | Unknown
    if isinstance(baseline, Unknown):
        other = speedup = baseline
    else:
        other_logs = baseline.logs()
        other = estimate(other_logs, alpha=alpha)
        speedup = estimate([a - b for a, b in zip(logs, other_logs, strict=False)], alpha=alpha)
    return Change(
        pairs=len(logs),
        own=own_ratio,
        baseline=other,
        speedup=speedup,
        moved=_moved(own_ratio, other, tolerance),
        base_ns=round(median(own.base_ns)),
        head_ns=round(median(own.head_ns)),
        excluded_slowdown=1 / least - 1 if least > 0 else inf,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRule:
    """When head counts as slower.

    Attributes:
        tolerance: Slow-down that nobody minds: 0.02 is 2 %.
        rates: Of errors, for each case and over all.
        passes_from: Pairs before anything has held; six bound a median at 95 %, and there are never fewer.
        flags_from: Pairs before anything is slower.
    """

    tolerance: float
    rates: Levels
    passes_from: int = FEWEST_PAIRS
    flags_from: int = FEWEST_PAIRS

    @property
    def line_ratio(self) -> float:
        """The tolerance as a ratio of base to head."""
        return 1 / (1 + self.tolerance)

    def decide(self, logs: Sequence[float]) -> Decision:
        """Whether head held (above), is slower (below), or neither can be said yet."""
        red, green = self.rates.red_alpha, self.rates.pass_alpha
        may_flag = len(logs) >= self.flags_from
        slower = may_flag and decide(logs, 1.0, pass_alpha=red, red_alpha=red) is Decision.BELOW
        if slower and exp(median(logs)) < self.line_ratio:
            return Decision.BELOW
        if len(logs) < max(self.passes_from, FEWEST_PAIRS):
            return Decision.OPEN
        held = decide(logs, self.line_ratio, pass_alpha=green, red_alpha=green) is Decision.ABOVE
        return Decision.ABOVE if held else Decision.OPEN

    def judge(
        self, logs: Sequence[float], change: Change, of_round_ns: float | Unknown = _NOBODY_KNOWS
    ) -> tuple[Outcome, str]:
        """The verdict on one case and its reason, for people; a round's time says how long more of them would take."""
        decision = self.decide(logs)
        if decision is Decision.BELOW:
            return Outcome.REGRESSION, told(change)
        if decision is Decision.ABOVE:
            return Outcome.PASS, "" if change.moved in {Moved.NEITHER, Moved.UNKNOWN} else change.moved.value
        needed = pairs_to_decide(
            logs, self.line_ratio, pass_alpha=self.rates.pass_alpha, red_alpha=self.rates.pass_alpha
        )
        would = would_do(needed, of_round_ns)
        return Outcome.INCONCLUSIVE, f"undecided after {change.pairs} rounds ({would}){_seen(change)}"


def told(change: Change) -> str:
    """A slow-down, for people: by how much, and which side moved."""
    moved = "" if change.moved is Moved.UNKNOWN else f"; {change.moved.value}"
    return f"takes {show_change(1 / change.own.ratio)} time{moved}"


def _seen(change: Change) -> str:
    if not 0 < change.excluded_slowdown < inf:
        return ""
    return f"; a slow-down of {show_slowdown(change.excluded_slowdown)} or more would have been seen"


def _moved(own: Estimate, baseline: Estimate | Unknown, tolerance: float) -> Moved:
    if isinstance(baseline, Unknown):
        return Moved.UNKNOWN
    return Moved.of(candidate=_has_moved(own, tolerance), baseline=_has_moved(baseline, tolerance))


def _has_moved(ratio: Estimate, tolerance: float) -> bool:
    for_sure = ratio.low_ratio > 1 or ratio.high_ratio < 1
    return for_sure and abs(log(ratio.ratio)) > log(1 + tolerance)
