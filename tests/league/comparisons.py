"""How often gates cry wolf on noise, what they find at which price, and what their intervals hold."""

import logging

import numpy as np
from gates import Draw, interval_gates, tools
from noise import MODELS, rounds

LOG = logging.getLogger("league")
SLOWDOWNS = (0.01, 0.02, 0.03, 0.05, 0.10)
COVERED_PAIRS = (5, 6, 10, 20, 50)
IID = "iid log-normal"
STEADY = tuple(model for model in MODELS if model != "drift")
"""The noises that the targets are for."""
HELD_IN = {"iid": (IID,), "every": STEADY}
NULLS = 1000
"""Comparisons that a setting comes from, and others that show what it fails."""
UNBOUNDED = 1000.0
"""The width of an interval without an end."""
RATE = 0.01
"""Of false failures, which every tool is set to."""
AA_SEED, POWER_SEED, COVERAGE_SEED, SETTING_SEED = 11, 12, 3, 21
"""No figure of ours was chosen on any of them."""


def false_failures(repetitions):
    """Failures of a change that changes nothing, by gate and noise."""
    table = {}
    for name, tool, setting in _as_shipped():
        table[name] = {}
        for model in MODELS:
            judged = tool.judge(Draw(model, AA_SEED, repetitions), setting)
            table[name][model] = {"failed": _share(judged, "failed"), "undecided": _share(judged, "undecided")}
        LOG.info("A/A %s: %s", name, table[name])
    return table


def power(repetitions):
    """Detections of true slow-downs, and calls of the model, by gate."""
    table = {}
    for name, tool, setting in _as_shipped():
        table[name] = _powers(tool, setting, repetitions)
        LOG.info("power %s: %s", name, table[name])
    return table


def equal_rates(repetitions):
    """The same with every tool set to fail `RATE` of other draws: in iid noise alone, and under no noise more."""
    return {held: _at_rate(noises, repetitions) for held, noises in HELD_IN.items()}


def _at_rate(noises, repetitions):
    table = {}
    for name, (tool, _shipped, unit) in tools().items():
        if not unit:
            continue
        setting = max(tool.set_to(Draw(model, SETTING_SEED, NULLS), RATE) for model in noises)
        failed = {model: _share(tool.judge(Draw(model, AA_SEED, NULLS), setting), "failed") for model in STEADY}
        worst = max(failed, key=lambda model: failed[model])
        table[name] = {
            "set to": f"{unit} {setting:.4g}",
            "A/A, iid": {"failed": failed[IID], "undecided": 0.0},
            "A/A, worst noise": {"failed": failed[worst], "noise": worst},
            **_powers(tool, setting, repetitions),
        }
        LOG.info("%s held in %s, %s: %s", f"{RATE:.0%}", ", ".join(noises), name, table[name])
    return table


def coverage(repetitions):
    """How often an interval at 95 % holds the truth, by tool, pairs at most and noise."""
    table = {}
    for name, (interval, looks) in interval_gates().items():
        for pairs in COVERED_PAIRS:
            row = table[f"{name}, {pairs} pairs"] = {}
            for model in MODELS:
                rng = np.random.default_rng(COVERAGE_SEED)
                found = [interval(*rounds(model, rng, looks * pairs), pairs) for _ in range(repetitions)]
                row[model] = {
                    "held": float(np.mean([low <= 1 <= high for low, high in found])),
                    "width": float(np.median([min(high - low, UNBOUNDED) for low, high in found])),
                }
            LOG.info("coverage %s, %d pairs: %s", name, pairs, row)
    return table


def _as_shipped():
    for name, (tool, shipped, _unit) in tools().items():
        for words, setting in shipped.items():
            yield name + words, tool, setting


def _powers(tool, setting, repetitions):
    row = {}
    for slowdown in SLOWDOWNS:
        judged = tool.judge(Draw(IID, POWER_SEED, repetitions, slowdown), setting)
        row[f"{slowdown:.0%}"] = {
            "detected": _share(judged, "failed"),
            "calls": float(np.mean([each.calls for each in judged])),
        }
    return row


def _share(judged, what):
    return float(np.mean([getattr(each, what) for each in judged]))
