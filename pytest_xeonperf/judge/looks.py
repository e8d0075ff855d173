"""How slow a case has to look twice: in the first processes, and again in fresh ones.

A case is red if both looks say slower. Whatever the first look has seen, on code that does not change speed each pair
of the second is at most a fair coin, as its order is drawn anew; so the chance of an undeserved red is at most the
product of the rates of both looks:

    P(red) = P(first) * P(second, given the first) <= first_alpha * second_alpha

The second look is asked at one in four: three pairs that are all slower do (wealth 5.9), or more with some that are
not. The first has what is left of the case's share, ``alpha / cases / second_alpha``, and `alpha` at most, so that what
is flagged is not a matter of luck even before. Over all cases the chance of any undeserved red is at most `alpha`
(Bonferroni); for fewer than four cases it is at most a quarter of it for each.

This holds for noise within a process. What a process draws once, such as where its memory lies, it has for all of its
pairs: where that alone is beyond the tolerance, either look is wrong every second time at most, at any alpha and with
any number of pairs, and both together every fourth time. Three pairs tell luck of less than the tolerance from a
slow-down less well than six did, as their median scatters by almost half as much again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.change import ChangeRule, Times, change_of, told
from pytest_xeonperf.judge.verdict import Levels
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.units import show_change

if TYPE_CHECKING:
    from pytest_xeonperf.judge.change import Change
    from pytest_xeonperf.judge.comparison import ComparedCase
    from pytest_xeonperf.records import Sample

SECOND_ALPHA = 0.25
"""Chance at most that the second look confirms what is not there."""

_FIRST_PAIRS, _SECOND_PAIRS = 5, 3
"""The fewest that make a case red: together they bound the median of both looks at 95 %, for which six are needed."""


def looks(alpha: float, cases: int, *, tolerance: float, fewest_pairs: int) -> tuple[ChangeRule, ChangeRule]:
    """The rules of the first and the second look.

    Args:
        alpha: Chance at most of any undeserved red over the whole comparison, and of an undeserved pass for each case.
        cases: That share it.
        tolerance: Slow-down that nobody minds: 0.02 is 2 %.
        fewest_pairs: Of a verdict; a red has them in both looks together.
    """
    first_alpha = min(alpha, alpha / max(1, cases) / SECOND_ALPHA)
    first = ChangeRule(
        tolerance=tolerance,
        rates=Levels(pass_alpha=alpha, red_alpha=first_alpha),
        passes_from=fewest_pairs,
        flags_from=max(_FIRST_PAIRS, fewest_pairs - _SECOND_PAIRS),
    )
    second = ChangeRule(
        tolerance=tolerance,
        rates=Levels(pass_alpha=alpha, red_alpha=SECOND_ALPHA),
        passes_from=fewest_pairs,
        flags_from=_SECOND_PAIRS,
    )
    return first, second


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The rounds of one case.

    Attributes:
        baseline: What the case is compared with, in the same rounds from the first on.
    """

    own: Times
    baseline: Times | Unknown

    def then(self, later: Seen) -> Seen:
        """The rounds of both looks: what bounds a median at any stopping time does so across them too."""
        baseline = self.baseline
        if isinstance(baseline, Times) and isinstance(later.baseline, Times):
            together = len(baseline.base_ns) == len(self.own.base_ns)
            left = Unknown(reason="it left the rounds of the first look early")
            return Seen(own=self.own.then(later.own), baseline=baseline.then(later.baseline) if together else left)
        return Seen(
            own=self.own.then(later.own), baseline=baseline if isinstance(baseline, Unknown) else later.baseline
        )

    def change(self, rule: ChangeRule) -> Change:
        """How the case moved.

        Raises:
            DataError: There are no pairs, or a duration is not positive.
        """
        return change_of(self.own, self.baseline, alpha=rule.rates.pass_alpha, tolerance=rule.tolerance)


def confirmed(first: ComparedCase, second: ComparedCase | Unknown, both: Change | Unknown) -> ComparedCase:
    """What two looks come to: red if both are, never green; pairs of the second are of process 1.

    Who is slower at first and killed by head's code then is no slower for sure: open.

    Args:
        first: What was flagged.
        second: What fresh processes say, or why they say nothing.
        both: How the case moved by the rounds of both, where both have times.
    """
    if isinstance(second, Unknown):
        return _open(first, second, second.reason)
    if second.outcome is not first.outcome:
        return _open(first, second, _words(second))
    if isinstance(both, Unknown):
        return second
    return replace(second, change=both, reason=told(both), pairs=_of_both(first, second), order=first.order)


def _open(first: ComparedCase, second: ComparedCase | Unknown, then: str) -> ComparedCase:
    """What is left is what the last look saw; the pairs are those of both."""
    last, pairs = (first, first.pairs) if isinstance(second, Unknown) else (second, _of_both(first, second))
    reason = f"{_words(first)} at first, {then} in fresh processes: not confirmed"
    return replace(last, outcome=Outcome.INCONCLUSIVE, reason=reason, pairs=pairs)


def _of_both(first: ComparedCase, second: ComparedCase) -> tuple[Sample, ...]:
    return (*first.pairs, *(replace(pair, process=1) for pair in second.pairs))


def _words(each: ComparedCase) -> str:
    return each.reason if isinstance(each.change, Unknown) else f"{show_change(1 / each.change.own.ratio)} time"
