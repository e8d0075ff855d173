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


DETECTORS = {
    "xeonperf": ours,
    "Apache Otava": otava,
    "asv": asv,
    "Perfherder's t > 7 (its documentation)": perfherder,
}
