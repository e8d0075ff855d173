"""Who finds changes of level in a series: ours, and others by their own code or their documentation."""

import numpy as np


def ours(series):
    """`pytest_xeonperf.judge.changepoint`, as it is."""
    from pytest_xeonperf.judge.changepoint import change_points

    return [point.index for point in change_points(series)]


def otava(series):
    """Apache Otava with its defaults: windows of 50, p < 0.001."""
    from otava.analysis import compute_change_points

    found, _weak = compute_change_points(list(map(float, series)))
    return sorted(int(point.index) for point in found)


def asv(series):
    """Asv's step detection, every step."""
    from asv.step_detect import detect_steps

    steps = detect_steps(list(map(float, series)))
    return [int(step[0]) for step in steps[1:]]


def perfherder(series, window=12, least_t=7.0, least_change=0.02):
    """Perfherder's rule as documented: a weighted t of twelve values on either side beyond 7, at its peak, and 2 %."""
    values = np.asarray(series, dtype=float)
    weights = np.arange(window, 0, -1) / window
    strengths = np.zeros(len(values))
    for at in range(window, len(values) - window + 1):
        before, after = values[at - window : at][::-1], values[at : at + window]
        left, right = np.average(before, weights=weights), np.average(after, weights=weights)
        spread = sum(
            np.average((side - level) ** 2, weights=weights) / (window - 1)
            for side, level in ((before, left), (after, right))
        )
        if spread and abs(right / left - 1) >= least_change:
            strengths[at] = abs(right - left) / spread**0.5
    return [
        at
        for at in np.flatnonzero(strengths > least_t)
        if strengths[at] == strengths[max(0, at - window) : at + window + 1].max()
    ]


def perfherder_source(series, back=12, most_back=24, ahead=12, least_t=7.0):
    """Perfherder's `detect_changes` with its windows: what it marks, before changes below 2 % are left out.

    A weighted t beyond 7, and no less than its neighbours', of twelve values from here on and of those back to where t
    was last beyond 7: twelve at least, twenty-four at most.
    """
    values = np.asarray(series, dtype=float)
    strengths = np.zeros(len(values))
    quiet = 0
    for at in range(1, len(values)):
        reach = min(max(quiet, back), most_back)
        strengths[at] = _weighted_t(values[max(0, at - reach) : at][::-1], values[at : at + ahead])
        quiet = 0 if strengths[at] > least_t else quiet + 1
    return [
        at
        for at in range(back, len(values) - ahead + 1)
        if strengths[at] > least_t and strengths[at] == strengths[at - 1 : at + 2].max()
    ]


def _weighted_t(*sides):
    """Of values whose weights fall evenly, the nearest first; only the means are weighted, not the variances."""
    means = [np.average(side, weights=np.arange(len(side), 0, -1)) for side in sides]
    degrees = [max(len(side) - 1, 1) for side in sides]
    sums = [np.sum((side - mean) ** 2) for side, mean in zip(sides, means, strict=True)]
    spread = sum(each / many / len(side) for side, each, many in zip(sides, sums, degrees, strict=True)) ** 0.5
    if means[0] == means[1]:
        return 0.0
    return abs(means[1] - means[0]) / spread if spread else np.inf


TIMED = {
    "xeonperf": ours,
    "Apache Otava": otava,
    "asv": asv,
    "Perfherder's t > 7 (its documentation)": perfherder,
}
DETECTORS = {**TIMED, "Perfherder's detector (its source)": perfherder_source}
"""Perfherder's second is not timed: it takes as long as the first."""
