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
    """How often xeonperf sees a change in a series without one, by its length and noise: its threshold is from here."""
    from pytest_xeonperf.judge.changepoint import change_points

    shapes = {
        "iid normal": lambda rng, length: rng.normal(0, SIGMA, length),
        "t with 3 degrees": lambda rng, length: rng.standard_t(3, length) * SIGMA,
        "bimodal": lambda rng, length: np.log(MODELS["bimodal"](rng, length)),
        "AR(1) 0.3": lambda rng, length: np.log(ar1(rng, length, 0.3)),
        "AR(1) 0.6": lambda rng, length: np.log(ar1(rng, length, 0.6)),
    }
    table = {}
    for length in (6, 12, 25, 50, 100, 250, 1000):
        row = table[f"{length} points"] = {}
        for shape, noise in shapes.items():
            rng = np.random.default_rng(6)
            many = repetitions if length < 1000 else repetitions // 4
            row[shape] = {"failed": 0.0, "undecided": 0.0}
            seen = sum(bool(change_points(np.exp(noise(rng, length)).tolist())) for _ in range(many))
            row[shape]["failed"] = seen / many
        LOG.info("alarms %d: %s", length, row)
    return table


def _changes(rng, length):
    count = int(rng.integers(1, 5))
    while True:  # anywhere, twelve points apart at least
        places = np.sort(rng.choice(np.arange(12, length - 12), count, replace=False))
        if count == 1 or np.diff(places).min() >= 12:
            break
    return [(int(at), float(np.exp(rng.choice([-1, 1]) * rng.uniform(0.02, 0.1)))) for at in places]


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
