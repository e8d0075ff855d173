"""Whether a ratio depends on who ran first in its round: what one call leaves to the next, its carry-over.

The sign test of `betting` takes the order within a round to make no difference "but for carry-over": whoever runs
leaves caches, memory or the frequency in another state to whoever comes next. A round is a cross-over trial of two
periods whose order is drawn. On the log scale, with b and c for what baseline and candidate take, and x and y for what
baseline and candidate cost the other when they ran before it, the log ratio is

    b - c - x    where the baseline ran first
    b - c + y    where the candidate did

The two orders are x + y apart, and if both costs have the same sign, the ratio without carry-over lies between them.

The test sums the ranks of the log ratios over the pairs of one order and asks how many of the other ways to deal out so
many orders give a sum as far from what is expected: all of them where there are few, else at most `_MOST_WAYS` drawn
with a fixed seed. A pair counts by one over the distance of its two calls, since carry-over fades: in a round of many
they are seldom neighbours. In a round of two this is Wilcoxon's rank-sum test.

False alarms: the order was drawn, not just met with. So where the ratio of a round is the same in either order, p is
exact at any number of pairs, under any noise from round to round, and wherever the measurement stopped; and Holm's
correction over the cases of a run bounds the chance that carry-over is seen in any of them by `ALPHA`. Noise from call
to call does no harm if it looks the same forwards and backwards. By simulation, of 10 to 40 pairs in rounds of two or
six (the tests repeat some of it), p is below 0.05 in 5 % of the cases where that noise is independent, even with tails
as heavy as Cauchy's, and in 1 to 4 % where neighbours are correlated by 0.7.

Whatever else treats the first and the second of a round differently is taken for carry-over too. What the canary
between the rounds leaves to the first is just that; a machine that becomes slower all the time is not. At 1 % of noise,
5 % over the whole measurement make p fall below 0.05 in up to 7 % of the cases, 20 % within ten rounds in nearly half.

What it finds, where a candidate takes 5 % longer right after the baseline, at 1 % of noise: in rounds of two, nearly
every case from 20 pairs on, also in a run of 37 cases; in rounds of six with 40 pairs, three of four if it is the only
case, one of five in such a run. It is blind to costs that are equal and opposite (x = -y) and to what a third one left.

Sources: Jones and Kenward, "Design and Analysis of Cross-Over Trials" (2nd ed., 2003), chapter 2, whose cross-over
differences these are; Koch, "The use of non-parametric methods in the statistical analysis of the two-period
change-over design" (Biometrics, 1972); Besag and Clifford, "Sequential Monte Carlo p-values" (Biometrika, 1991);
Holm, "A simple sequentially rejective multiple test procedure" (Scand. J. Statist., 1979).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate, combinations
from math import comb, exp, lcm
from random import Random
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.betting import log_ratios
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.records import TIMED_ALONE, Timing, Unknown
from pytest_xeonperf.units import show_count, show_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Measurement, Result, Sample

ALPHA = 0.05
"""Chance, at most, that carry-over is seen anywhere in a run that has none."""

FEWEST = 4
"""Pairs of either order: with three of each, even the clearest difference is luck one time in ten."""

_MOST_WAYS = 9_999
"""To deal out the orders: beyond it they are drawn, and as many at the most."""

_ENOUGH_AS_FAR = 200
"""Of those drawn: no more are drawn then, as p is known within some 7 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """What the test sees of a pair.

    Attributes:
        weight: One over the distance of its two calls, in a unit that makes it an integer: sums are then exact.
    """

    log_ratio: float
    weight: int
    baseline_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEffect:
    """What the order within the round did to the ratio of one case.

    Attributes:
        baseline_first_ratio: Median of the pairs in which the baseline ran before the candidate; as in the test, a
            pair counts by one over the distance of its two calls.
        candidate_first_ratio: The same of those in which it ran after it.
        p_value: Chance of as much difference where the order makes none; for this case alone.
        seen: Whether this is carry-over, corrected for the number of cases that were judged together.
    """

    baseline_first_ratio: float
    candidate_first_ratio: float
    baseline_first_pairs: int
    candidate_first_pairs: int
    p_value: float
    seen: bool

    @property
    def effect_ratio(self) -> float:
        """The ratio with the baseline first over that with the candidate first: 0.95 is 5 % less speed-up."""
        return self.baseline_first_ratio / self.candidate_first_ratio

    @property
    def in_words(self) -> str:
        """Both ratios, for people."""
        first, last = show_ratio(self.baseline_first_ratio), show_ratio(self.candidate_first_ratio)
        return f"{first} when the baseline ran first, {last} when the candidate did"


def order_effects(results: Sequence[Result]) -> tuple[OrderEffect | Unknown, ...]:
    """What the order did to each result of a run, or why that cannot be said."""
    return judged_together([_effect_in(result.measurement) for result in results])


def judged_together(found: Sequence[OrderEffect | Unknown]) -> tuple[OrderEffect | Unknown, ...]:
    """The same effects, each seen or not as Holm's correction over all of them has it."""
    effects = list(found)
    judged = {place: effect for place, effect in enumerate(effects) if isinstance(effect, OrderEffect)}
    seen = True
    for rank, (place, effect) in enumerate(sorted(judged.items(), key=lambda entry: entry[1].p_value)):
        seen = seen and effect.p_value <= levels(ALPHA, len(judged) - rank).red_alpha  # Holm
        effects[place] = replace(effect, seen=seen)
    return tuple(effects)


def order_effect(samples: Sequence[Sample]) -> OrderEffect | Unknown:
    """What the order did to the pairs of one measurement, as if it were a whole run."""
    if any(min(sample.baseline_ns, sample.candidate_ns) <= 0 for sample in samples):
        return Unknown(reason="a duration is not positive")
    pairs = _pairs([sample for sample in samples if sample.baseline_position != sample.candidate_position])
    baseline_first = [pair for pair in pairs if pair.baseline_first]
    candidate_first = [pair for pair in pairs if not pair.baseline_first]
    if min(len(baseline_first), len(candidate_first)) < FEWEST:
        return Unknown(
            reason=f"the baseline ran first in {show_count(len(baseline_first), 'pair')} and the candidate in "
            f"{len(candidate_first)}: it takes {FEWEST} of either order"
        )
    p_value = _p_value(pairs)
    return OrderEffect(
        baseline_first_ratio=exp(_median(baseline_first)),
        candidate_first_ratio=exp(_median(candidate_first)),
        baseline_first_pairs=len(baseline_first),
        candidate_first_pairs=len(candidate_first),
        p_value=p_value,
        seen=p_value <= ALPHA,
    )


def _effect_in(measured: Measurement | Timing | Unknown) -> OrderEffect | Unknown:
    if isinstance(measured, Unknown):
        return measured
    return TIMED_ALONE if isinstance(measured, Timing) else order_effect(measured.samples)


def _pairs(samples: Sequence[Sample]) -> list[_Pair]:
    distances = [sample.candidate_position - sample.baseline_position for sample in samples]
    unit = lcm(*distances)
    return [
        _Pair(log_ratio=log_ratio, weight=unit // abs(distance), baseline_first=distance > 0)
        for log_ratio, distance in zip(log_ratios(samples), distances, strict=True)
    ]


def _p_value(pairs: Sequence[_Pair]) -> float:
    """Share of the ways to deal out the orders whose sum is as far from what is expected as this one, or further."""
    scores = _scores(pairs)
    baseline_first = [score for score, pair in zip(scores, pairs, strict=True) if pair.baseline_first]
    found = abs(sum(baseline_first))
    dealt = min(len(baseline_first), len(pairs) - len(baseline_first))  # scores sum to 0: either order tells the same
    if comb(len(pairs), dealt) <= _MOST_WAYS:
        ways = [abs(sum(way)) >= found for way in combinations(scores, dealt)]
        return sum(ways) / len(ways)
    order = Random(0)  # noqa: S311 - draws that can be repeated, not a secret
    as_far = 0
    for drawn in range(1, _MOST_WAYS + 1):
        as_far += abs(sum(order.sample(scores, dealt))) >= found
        if as_far == _ENOUGH_AS_FAR:
            return as_far / drawn
    return (as_far + 1) / (_MOST_WAYS + 1)  # the one that was found is one more


def _scores(pairs: Sequence[_Pair]) -> list[int]:
    """Weighted ranks of the log ratios from their weighted mean, in some unit. What is equal shares its rank."""
    ordered = sorted(pair.log_ratio for pair in pairs)
    ranks = [bisect_left(ordered, pair.log_ratio) + bisect_right(ordered, pair.log_ratio) for pair in pairs]
    whole = sum(pair.weight for pair in pairs)
    centre = sum(pair.weight * rank for pair, rank in zip(pairs, ranks, strict=True))
    return [pair.weight * (whole * rank - centre) for pair, rank in zip(pairs, ranks, strict=True)]


def _median(pairs: Sequence[_Pair]) -> float:
    """The weighted median of the log ratios; midway between two where each has half of the weight on its side."""
    ordered = sorted(pairs, key=lambda pair: pair.log_ratio)
    up_to = [2 * weight for weight in accumulate(pair.weight for pair in ordered)]
    whole = up_to[-1] // 2
    low, high = bisect_left(up_to, whole), bisect_right(up_to, whole)
    return (ordered[low].log_ratio + ordered[high].log_ratio) / 2
