"""Change points of noise with changes of level: what is found, what is not there, and how long it takes."""

import logging
import time

import numpy as np
from detectors import DETECTORS, TIMED
from noise import MODELS, SIGMA, ar1, series

LOG = logging.getLogger("league")
LENGTHS = (500, 5_000, 50_000)
TOLERANCE = 3
"""Points that a change may be found away from where it is."""
WATCHED = 150
LONGEST = 30
"""Points after a change that a tool is waited for."""
SHAPES = {
    "iid normal": lambda rng, length: rng.normal(0, SIGMA, length),
    "t with 3 degrees": lambda rng, length: rng.standard_t(3, length) * SIGMA,
    "bimodal": lambda rng, length: np.log(MODELS["bimodal"](rng, length)),
    "AR(1) 0.3": lambda rng, length: np.log(ar1(rng, length, 0.3)),
    "AR(1) 0.6": lambda rng, length: np.log(ar1(rng, length, 0.6)),
}
"""Noise without a change, as logarithms."""


def synthetic(repetitions, length=200):
    """Precision, recall and F1 on series with up to four changes of 2 to 10 %; false alarms on series with none."""
    table = {}
    for name, detect in DETECTORS.items():
        table[name] = {}
        for model in MODELS:
            rng = np.random.default_rng(4)
            hits = found = true = alarms = 0
            for _ in range(repetitions):
                changes = _changes(rng, length)
                points = detect(series(model, rng, length, changes))
                at = {index for index, _factor in changes}
                hits += sum(any(abs(point - index) <= TOLERANCE for point in points) for index in at)
                found, true = found + len(points), true + len(at)
                alarms += bool(detect(series(model, rng, length, [])))
            precision, recall = hits / max(found, 1), hits / max(true, 1)
            table[name][model] = {
                "precision": precision,
                "recall": recall,
                "f1": 2 * precision * recall / max(precision + recall, 1e-9),
                "false_alarms": alarms / repetitions,
            }
        LOG.info("change points %s: %s", name, table[name])
    return table


def alarms(repetitions):
    """How often xeonperf sees a change in a series without one, by its length and noise.

    Its threshold was chosen by such simulations with another seed (6). The last row is of series that grow and are
    looked at after every point, as alerts look at theirs: the share that any look sees a change in.
    """
    from pytest_xeonperf.judge.changepoint import FEWEST, change_points

    def seen(noise, length, many, looks):
        rng = np.random.default_rng(16)
        alarms = 0
        for _ in range(many):
            values = np.exp(noise(rng, length)).tolist()
            alarms += any(change_points(values[:points]) for points in looks)
        return {"failed": alarms / many, "undecided": 0.0}

    table = {}
    for length in (6, 12, 25, 50, 100, 250, 1000):
        many = repetitions if length < 1000 else repetitions // 4
        table[f"{length} points"] = {name: seen(noise, length, many, [length]) for name, noise in SHAPES.items()}
        LOG.info("alarms %d: %s", length, table)
    every = range(2 * FEWEST, WATCHED + 1)
    table[f"{WATCHED} points, looked at after every one"] = {
        name: seen(noise, WATCHED, repetitions // 20, every) for name, noise in SHAPES.items()
    }
    return table


def delays(repetitions, quiet=40):
    """Points after a change of 2 to 10 % until it is reported, by tool and noise, looked at after every point.

    Each series is quiet before its one change, which counts as reported where the tool puts it within `TOLERANCE` of
    its place; a tool that has not by `LONGEST` points after it never does.
    """
    table = {}
    for name, detect in DETECTORS.items():
        table[name] = {}
        for model in MODELS:
            rng = np.random.default_rng(17)
            waited = []
            for _ in range(repetitions):
                values = series(model, rng, quiet + LONGEST, [(quiet, _factor(rng))])
                waited.append(_delay(detect, values, quiet))
            reported = [points for points in waited if points <= LONGEST]
            table[name][model] = {
                "median_delay": float(np.median(waited)) if 2 * len(reported) > len(waited) else LONGEST + 1.0,
                "never": 1 - len(reported) / len(waited),
            }
        LOG.info("delay %s: %s", name, table[name])
    return table


def _delay(detect, values, change):
    for after in range(1, LONGEST + 1):
        if any(abs(point - change) <= TOLERANCE for point in detect(values[: change + after])):
            return after
    return LONGEST + 1


def _changes(rng, length):
    count = int(rng.integers(1, 5))
    while True:  # anywhere, twelve points apart at least
        places = np.sort(rng.choice(np.arange(12, length - 12), count, replace=False))
        if count == 1 or np.diff(places).min() >= 12:
            break
    return [(int(at), _factor(rng)) for at in places]


def _factor(rng):
    return float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.02, 0.1)))


def speed():
    """Seconds for a whole series, and for one appended point where a tool can take one."""
    from pytest_xeonperf.judge.changepoint import appended, change_points

    table = {}
    for length in LENGTHS:
        rng = np.random.default_rng(5)
        changes = [(at, 1.05 if (at // 250) % 2 else 1 / 1.05) for at in range(250, length, 250)]
        values = list(map(float, series("iid log-normal", rng, length, changes)))
        row = table[f"{length:,} points"] = {}
        for name, detect in TIMED.items():
            row[name] = _seconds(detect, values)
        known = change_points(values[:-1])
        row["xeonperf, one appended"] = _seconds(appended, values, known)
        LOG.info("speed %d: %s", length, row)
    return table


def _seconds(call, *arguments):
    started = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - started
