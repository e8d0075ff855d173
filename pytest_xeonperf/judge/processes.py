"""Several fresh processes of one case, since the spread between processes is not the spread within one.

Where memory lies and which cores a process is on is drawn once for all of its pairs. With more than one process, each
is one observation: the median of its paired log-ratios. Taken as normal around the case's own ratio, they give
Student's interval, which knows both spreads, the one within a process by what it does to its median; and a threshold is
decided where the one-sided interval excludes it. The rates hold for the fixed number of processes that was asked for. A
single process is judged by its pairs, as `betting` does.

Source: Student, "The probable error of a mean" (Biometrika, 1908); Georges, Buytaert and Eeckhout, "Statistically
rigorous Java performance evaluation" (OOPSLA 2007), on invocations as the unit.
"""

from __future__ import annotations

from itertools import groupby
from math import atan, cos, exp, inf, log, pi, sin, sqrt
from statistics import fmean, median, stdev
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge import betting
from pytest_xeonperf.judge.betting import Decision, log_ratios
from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Sample

_SEVERAL = 2
_FARTHEST = 1e9
_BISECTIONS = 100


def logs_by_process(samples: Sequence[Sample]) -> tuple[tuple[float, ...], ...]:
    """Paired log-ratios of each process, in the order in which the processes ran.

    Raises:
        DataError: A duration is not positive.
    """
    return tuple(log_ratios(some) for _, some in groupby(samples, key=lambda sample: sample.process))


def estimate(groups: Sequence[Sequence[float]], *, alpha: float) -> Estimate:
    """Ratio with its interval at ``1 - alpha``: over processes where there are several, else over pairs.

    Args:
        groups: As `logs_by_process` gives them.
        alpha: One minus the confidence.

    Raises:
        DataError: There are no pairs.
    """
    if len(groups) < _SEVERAL:
        return betting.estimate(_only(groups), alpha=alpha)
    centre, half = _mean_of(groups, alpha / 2)
    return Estimate(
        ratio=exp(centre),
        low_ratio=exp(centre - half),
        high_ratio=exp(min(centre + half, log(UNBOUNDED_RATIO))),
        confidence=1 - alpha,
    )


def ratio_of(groups: Sequence[Sequence[float]]) -> float:
    """The ratio that `estimate` gives, without the interval, which takes a hundred times as long.

    Raises:
        DataError: There are no pairs.
    """
    if not groups:
        raise DataError("no pairs to estimate from", remedy="measure at least one round")
    return exp(fmean(map(median, groups)))


def least_log(groups: Sequence[Sequence[float]], *, alpha: float) -> float:
    """Logarithm of the largest ratio that `decide` says the case is above at `alpha`; minus infinity for none."""
    if len(groups) < _SEVERAL:
        least = betting.least_ratio(_only(groups), alpha=alpha)
        return log(least) if least > 0 else -inf
    centre, down = _mean_of(groups, alpha)
    return centre - down


def decide(
    groups: Sequence[Sequence[float]], threshold_ratio: float, *, pass_alpha: float, red_alpha: float
) -> Decision:
    """Whether the ratio is above or below a threshold, or still open; see `betting.decide`."""
    if len(groups) < _SEVERAL:
        return betting.decide(_only(groups), threshold_ratio, pass_alpha=pass_alpha, red_alpha=red_alpha)
    line = log(threshold_ratio)
    (centre, down), (_, up) = _mean_of(groups, pass_alpha), _mean_of(groups, red_alpha)
    if centre - down > line:
        return Decision.ABOVE
    return Decision.BELOW if centre + up < line else Decision.OPEN


def _only(groups: Sequence[Sequence[float]]) -> Sequence[float]:
    return groups[0] if groups else ()


def _mean_of(groups: Sequence[Sequence[float]], tail: float) -> tuple[float, float]:
    """Mean of the processes' medians, and how far Student's one-sided bound of that tail is from it."""
    medians = [median(logs) for logs in groups]
    return fmean(medians), student_quantile(tail, len(groups) - 1) * stdev(medians) / sqrt(len(groups))


def student_quantile(tail: float, freedom: int) -> float:
    """What Student's t exceeds with the chance `tail`, below one half, at so many degrees of freedom."""
    low, high = 0.0, 1.0
    while _tail(high, freedom) > tail and high < _FARTHEST:
        low, high = high, 2 * high
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(middle, freedom) > tail else (low, middle)
    return high


def _tail(t: float, freedom: int) -> float:
    """Chance that Student's t exceeds `t`: the finite series for whole degrees of freedom.

    Source: Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4.
    """
    theta = atan(t / sqrt(freedom))
    squared, term, total = cos(theta) ** 2, 1.0, 0.0
    if freedom % 2:
        term = cos(theta)
        for k in range(1, freedom - 1, 2):
            total += term
            term *= squared * (k + 1) / (k + 2)
        within = 2 / pi * (theta + sin(theta) * total)
    else:
        for k in range(0, freedom - 1, 2):
            total += term
            term *= squared * (k + 1) / (k + 2)
        within = sin(theta) * total
    return (1 - within) / 2
