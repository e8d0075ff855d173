"""A sequential sign test by betting: its error rates hold however often one looks.

Each pair bets on the sign of ``log(baseline / candidate) - log(threshold)``. If the candidate is no better than the
threshold, a win is at most a fair coin (the order within a round is drawn at random, so drift cannot favour a side),
and the wealth of a gambler who bets on wins is a non-negative supermartingale that starts at 1: by Ville's inequality
it ever reaches ``1 / alpha`` with probability at most ``alpha``. Half of the capital bets everything on every pair,
which settles clear cases in five or six pairs; the other half is spread evenly over all winning chances above one
half, which settles the rest. Both have closed forms in integers, so the test is exact from the first pair on.

Sources: Ville (1939); Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (JRSS-B,
2024); Howard and Ramdas, "Sequential estimation of quantiles" (Bernoulli, 2022) for the inversion into an interval.
"""

from __future__ import annotations

from bisect import bisect_left
from enum import Enum
from functools import lru_cache
from math import comb, exp, inf, isfinite, log
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_xeonperf.records import Sample


FEWEST_PAIRS = 6
"""That bound a median at 95 % on both sides."""

_MOST_PAIRS = 400
"""Nobody waits for more."""


class Decision(Enum):
    """What the pairs so far say about a threshold."""

    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"


def log_ratios(samples: Iterable[Sample]) -> tuple[float, ...]:
    """Paired ``log(baseline / candidate)`` in the order of measurement.

    Raises:
        DataError: A duration is not positive: the clock, not the code under test, is at fault.
    """
    logs = []
    for sample in samples:
        if sample.baseline_ns <= 0 or sample.candidate_ns <= 0:
            raise DataError(
                f"round {sample.round_index} has a duration of {min(sample.baseline_ns, sample.candidate_ns)} ns",
                remedy="durations are positive; look for a clock that went backwards",
            )
        logs.append(log(sample.baseline_ns / sample.candidate_ns))
    return tuple(logs)


@lru_cache(maxsize=1 << 16)  # whoever looks after every pair asks for the same few again and again
def wealth(wins: int, losses: int) -> float:
    """Wealth of the gambler after so many wins and losses, having started with 1; infinite where no float holds it."""
    pairs = wins + losses
    try:
        all_in = 2.0**pairs if losses == 0 else 0.0
        # 2 * integral over p in [1/2, 1] of (2p)^wins (2(1-p))^losses, by the binomial form of the incomplete beta
        mixture = _combinations_up_to(wins, pairs + 1) / ((pairs + 1) * comb(pairs, wins))
    except OverflowError:
        return inf
    return (all_in + mixture) / 2


def _combinations_up_to(most: int, of: int) -> int:
    """In how many ways none, one, and so on up to so many can be taken of a number of things.

    Each from the one before: a thousand pairs, asked after each of them, would else take minutes.
    """
    ways = total = 1
    for taken in range(most):
        ways = ways * (of - taken) // (taken + 1)
        total += ways
    return total


def peak_wealth(outcomes: Iterable[bool]) -> float:
    """The most the gambler ever had over this sequence of wins (true) and losses."""
    wins = losses = 0
    peak = 1.0
    for won in outcomes:
        wins, losses = wins + won, losses + (not won)
        peak = max(peak, wealth(wins, losses))
    return peak


def decide(logs: Sequence[float], threshold_ratio: float, *, pass_alpha: float, red_alpha: float) -> Decision:
    """Whether the median ratio is above or below a threshold, or still open.

    Args:
        logs: Paired log-ratios in the order of measurement.
        threshold_ratio: The floor.
        pass_alpha: Chance, at most, of saying above when the median is not.
        red_alpha: Chance, at most, of saying below when the median is not.
    """
    line = log(threshold_ratio)
    if peak_wealth(value > line for value in logs) >= 1 / pass_alpha:
        return Decision.ABOVE
    if peak_wealth(value < line for value in logs) >= 1 / red_alpha:
        return Decision.BELOW
    return Decision.OPEN


def pairs_to_decide(
    logs: Sequence[float], threshold_ratio: float, *, pass_alpha: float, red_alpha: float
) -> int | Unknown:
    """How many pairs in all would probably decide, if the rest are won as often as those so far.

    Args:
        logs: Paired log-ratios in the order of measurement, which `decide` leaves open.
        threshold_ratio: As for `decide`.
        pass_alpha: As for `decide`.
        red_alpha: As for `decide`.
    """
    line = log(threshold_ratio)
    wins, losses = sum(value > line for value in logs), sum(value < line for value in logs)
    if wins == losses:
        return Unknown(reason="it sits on the threshold: as many pairs above as below")
    more, enough = (wins, 1 / pass_alpha) if wins > losses else (losses, 1 / red_alpha)
    for pairs in range(len(logs) + 1, _MOST_PAIRS + 1):
        won = round(pairs * more / len(logs))
        if wealth(won, pairs - won) >= enough:
            return pairs
    return Unknown(reason=f"more than {_MOST_PAIRS} would be needed")


def least_ratio(logs: Sequence[float], *, alpha: float) -> float:
    """The largest ratio that the true median is above, with a chance of error of `alpha`; 0 where nothing bounds it.

    It is above a threshold if and only if `decide` says so at the same `alpha`.
    """
    ordered = sorted(logs)
    # the higher a threshold, the fewer wins: those that are excluded come first
    excluded = bisect_left(ordered, True, key=lambda x: peak_wealth(value >= x for value in logs) < 1 / alpha)  # noqa: FBT003
    return exp(ordered[excluded - 1]) if excluded else 0.0


def estimate(logs: Sequence[float], *, alpha: float) -> Estimate:
    """Median ratio with an interval that covers the true median with ``1 - alpha`` at any stopping time.

    The interval holds every threshold that `decide` would leave open at ``alpha / 2`` each way. Fewer than six pairs
    bound nothing at 95 %. What early pairs have excluded stays excluded: where later ones lie elsewhere, as no series
    of one median does, the interval is made to reach as far as the median of all.

    Raises:
        DataError: There are no pairs, or one is not finite.
    """
    if not logs or not all(map(isfinite, logs)):
        raise DataError("no finite pairs to estimate from", remedy="measure at least one round")
    high = min((x for x in logs if peak_wealth(value <= x for value in logs) >= 2 / alpha), default=inf)
    ratio = exp(median(logs))
    return Estimate(
        ratio=ratio,
        low_ratio=min(ratio, least_ratio(logs, alpha=alpha / 2)),
        high_ratio=max(ratio, exp(high)) if isfinite(high) else UNBOUNDED_RATIO,
        confidence=1 - alpha,
    )
