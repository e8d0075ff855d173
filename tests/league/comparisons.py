"""How often gates cry wolf on noise, what they find at which price, and what their intervals hold."""

import logging

import numpy as np
from gates import MOST_PAIRS, all_gates, interval_gates
from noise import MODELS, rounds

LOG = logging.getLogger("league")
SLOWDOWNS = (0.01, 0.02, 0.03, 0.05, 0.10)
COVERED_PAIRS = (6, 10, 20, 50)


def false_failures(repetitions):
    """Failures of a change that changes nothing, by gate and noise."""
    table = {}
    for name, gate in all_gates().items():
        table[name] = {}
        for model in MODELS:
            rng = np.random.default_rng(1)
            judged = [gate(*rounds(model, rng, 2 * MOST_PAIRS)) for _ in range(repetitions)]
            table[name][model] = {
                "failed": float(np.mean([each.failed for each in judged])),
                "undecided": float(np.mean([each.undecided for each in judged])),
            }
        LOG.info("A/A %s: %s", name, table[name])
    return table


def power(repetitions, model="iid log-normal"):
    """Detections of true slow-downs, and calls of the model, by gate."""
    table = {}
    for name, gate in all_gates().items():
        table[name] = {}
        for slowdown in SLOWDOWNS:
            rng = np.random.default_rng(2)
            judged = [gate(*rounds(model, rng, 2 * MOST_PAIRS, slowdown)) for _ in range(repetitions)]
            table[name][f"{slowdown:.0%}"] = {
                "detected": float(np.mean([each.failed for each in judged])),
                "calls": float(np.mean([each.calls for each in judged])),
            }
        LOG.info("power %s: %s", name, table[name])
    return table


def coverage(repetitions):
    """How often an interval at 95 % holds the truth, by tool, pairs at most and noise."""
    table = {}
    for name, interval in interval_gates().items():
        for pairs in COVERED_PAIRS:
            row = table[f"{name}, {pairs} pairs"] = {}
            for model in MODELS:
                rng = np.random.default_rng(3)
                found = [interval(*rounds(model, rng, pairs)) for _ in range(repetitions)]
                row[model] = {
                    "held": float(np.mean([low <= 1 <= high for low, high in found])),
                    "width": float(np.median([min(high, 1e3) - low for low, high in found])),
                }
            LOG.info("coverage %s, %d pairs: %s", name, pairs, row)
    return table
