"""The league: how often gates cry wolf, what they find at which price, and the same for change points.

    pip install '.[models,league]' && python tests/league reports/league

Every figure comes from seeds; the same command gives the same tables, but for the times in the last one. `--quick` is a
tenth of it.
"""

import argparse
import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from detectors import DETECTORS
from gates import ALPHA, MOST_PAIRS, all_gates, interval_gates
from noise import MODELS, SIGMA, ar1, rounds, series

SLOWDOWNS = (0.01, 0.02, 0.03, 0.05, 0.10)
COVERED_PAIRS = (6, 10, 20, 50)
LENGTHS = (500, 5_000, 50_000)
TOLERANCE = 3
"""Points that a change may be found away from where it is."""

FALSE_FAILURES = (
    f"Shares of unchanged code that is failed. xeonperf states at most {ALPHA:.0%}, under noise that favours no side "
    "of a round."
)
CHANGE_POINTS = (
    "F1 (precision, recall; share of series without a change that raise an alarm): 200 points, one to four changes of "
    f"2 to 10 %, found within {TOLERANCE} points."
)


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
        say(f"A/A {name}: {table[name]}")
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
        say(f"power {name}: {table[name]}")
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
            say(f"coverage {name}, {pairs} pairs: {row}")
    return table


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
        say(f"change points {name}: {table[name]}")
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
        say(f"alarms {length}: {row}")
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
        for name, detect in DETECTORS.items():
            row[name] = _seconds(detect, values)
        known = change_points(values[:-1])
        row["xeonperf, one appended"] = _seconds(appended, values, known)
        say(f"speed {length}: {row}")
    return table


def _seconds(call, *arguments):
    started = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - started


def markdown(tables):
    """The tables, as Markdown."""
    lines = ["# The league", "", tables["about"], ""]
    for title, note, rows in tables["shown"]:
        lines += [f"## {title}", "", note, ""]
        columns = list(next(iter(rows.values())))
        lines += [f"| | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
        lines += [
            f"| {name} | {' | '.join(_cell(row.get(column)) for column in columns)} |" for name, row in rows.items()
        ]
        lines.append("")
    return "\n".join(lines)


def _cell(value):
    if value is None:
        return "-"
    if isinstance(value, dict) and "calls" in value:
        return f"{value['detected']:.1%} ({value['calls']:.0f} calls)"
    if isinstance(value, dict) and "failed" in value:
        undecided = f" ({value['undecided']:.1%} undecided)" if value["undecided"] else ""
        return f"{value['failed']:.1%}{undecided}"
    if isinstance(value, dict) and "held" in value:
        return f"{value['held']:.1%} (width {value['width']:.3f})"
    if isinstance(value, dict):
        return f"{value['f1']:.2f} ({value['precision']:.2f}, {value['recall']:.2f}; {value['false_alarms']:.1%})"
    return f"{value:.3g}"


def say(words):
    sys.stderr.write(f"{words}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where league.md and league.json go")
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    given = parser.parse_args()
    many = 100 if given.quick else 1000
    found = {
        "false_failures": false_failures(many),
        "power": power(many),
        "coverage": coverage(many),
        "change_points": synthetic(many // 2),
        "alarms": alarms(2 * many),
        "speed_s": speed(),
    }
    packages = ("asv", "apache-otava", "benchmatrix", "pytest-benchmark", "numpy")
    found["versions"] = {"python": platform.python_version(), **{name: version(name) for name in packages}}
    opponents = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
    shown = {
        "about": f"From `python tests/league {given.folder}{' --quick' if given.quick else ''}`: {many} comparisons a "
        f"figure, seeds kept; {opponents}. Rules that stand as `its documentation` are written from there.",
        "shown": [
            ("False failures", FALSE_FAILURES, found["false_failures"]),
            ("Power", "Shares of true slow-downs that are failed, in iid noise of 1 %, and calls.", found["power"]),
            ("Coverage", "Shares of 95 % intervals that hold the truth, and their median width.", found["coverage"]),
            ("Change points", CHANGE_POINTS, found["change_points"]),
            ("False alarms by length", "Of change points: shares of series without a change.", found["alarms"]),
            ("Speed", "Seconds.", found["speed_s"]),
        ],
    }
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / "league.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (given.folder / "league.md").write_text(markdown(shown), encoding="utf-8")


if __name__ == "__main__":
    main()
