"""The parts of the league, and what each was run with."""

import platform
from importlib.metadata import version

import real
from comparisons import coverage, equal_rates, false_failures, power
from detectors import DETECTORS
from synthetic import alarms, delays, speed, synthetic

PARTS = {
    "false_failures": (false_failures, 1000),
    "power": (power, 500),
    "equal_rates": (equal_rates, 500),
    "coverage": (coverage, 1000),
    "change_points": (synthetic, 500),
    "delays": (delays, 60),
    "real": (lambda _once: real.agreements(DETECTORS), 1),
    "alarms": (alarms, 2000),
    "speed_s": (lambda _once: speed(), 1),
}
"""What measures a part, and how many times it draws each figure."""

PACKAGES = ("asv", "apache-otava", "benchmatrix", "pytest-benchmark", "numpy")


def league(parts, known, *, quick):
    """The results with these parts made anew; beside each, what it was run with."""
    with_versions = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    found, runs = dict(known), dict(known.get("runs", {}))
    for part in parts:
        measure, full = PARTS[part]
        repetitions = max(1, full // 10) if quick else full
        found[part] = measure(repetitions)
        runs[part] = {"quick": quick, "repetitions": repetitions, "versions": with_versions}
    done = [part for part in PARTS if part in found]
    return {**{part: found[part] for part in done}, "runs": {part: runs[part] for part in done}}
