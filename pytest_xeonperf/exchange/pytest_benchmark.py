"""pytest-benchmark's JSON, which many tools read: the candidate's raw times of each measured case, in seconds.

The baseline, the speed-up and the verdict travel as ``extra_info``. What pytest-benchmark itself timed keeps its name
and its group. Source of the fields: pytest-benchmark 5's
``pytest_benchmark_generate_json`` and the properties of its ``Stats``.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.records import Measurement, Timing, Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.records import Commit, Machine, Result, Run, Verdict

_VERSION = "5.1.0"
"""Of pytest-benchmark: the oldest whose readers know every field we write."""

_NS_PER_S = 1_000_000_000
_FENCE = 1.5  # Tukey's


def dumps(run: Run) -> str:
    """The measured results of a run as pytest-benchmark's JSON text; those without raw times are left out."""
    tests = Counter(result.node_id for result in run.results)
    benchmarks = [
        _timed(result, result.measurement)
        if isinstance(result.measurement, Timing)
        else _benchmark(result, result.measurement, alone=tests[result.node_id] == 1)
        for result in run.results
        if not isinstance(result.measurement, Unknown) and _has_times(result.measurement)
    ]
    document = {
        "machine_info": _machine_info(run.machine),
        "commit_info": _commit_info(run.commit),
        "benchmarks": benchmarks,
        "datetime": run.started_at,
        "version": _VERSION,
    }
    return json.dumps(document, indent=4, allow_nan=False) + "\n"


def _has_times(measurement: Measurement | Timing) -> bool:
    return bool(measurement.durations_ns if isinstance(measurement, Timing) else measurement.samples)


def _benchmark(result: Result, measurement: Measurement, *, alone: bool) -> dict[str, Any]:
    """One entry; a test with several cases gives several, told apart by their baseline."""
    case = result.case
    suffix = "" if alone else f"[{case.variant} over {case.over}]"
    return {
        "group": f"{case.workload}/{case.phase} [{case.preset}]",
        "name": result.node_id.rpartition("::")[2] + suffix,
        "fullname": result.node_id + suffix,
        "params": None,
        "param": None,
        "extra_info": _extra_info(measurement, result.verdict),
        "options": {"timer": "perf_counter_ns", "rounds": len(measurement.samples), "interleaved": True},
        "stats": _stats([sample.candidate_ns for sample in measurement.samples]),
    }


def _timed(result: Result, timing: Timing) -> dict[str, Any]:
    """One entry, as pytest-benchmark itself would have written it."""
    return {
        "group": result.case.group or None,
        "name": result.node_id.rpartition("::")[2],
        "fullname": result.node_id,
        "params": None,
        "param": None,
        "extra_info": {
            "xeonperf_case": result.case.id,
            "item": timing.item,
            "rounds": timing.rounds,
            "median_ns": timing.median_ns,
            "verdict": result.verdict.outcome.value,
            "reason": result.verdict.reason,
        },
        "options": {},
        "stats": _stats(list(timing.durations_ns)),
    }


def _extra_info(measurement: Measurement, verdict: Verdict) -> dict[str, Any]:
    case, speedup = measurement.case, measurement.speedup
    return {
        "xeonperf_case": case.id,
        "variant": case.variant,
        "over": case.over,
        "speedup_ratio": speedup.ratio,
        "speedup_low_ratio": speedup.low_ratio,
        "speedup_high_ratio": speedup.high_ratio,
        "item": measurement.item,
        "items_per_call": measurement.items_per_call,
        "baseline_median_ns": measurement.baseline_median_ns,
        "candidate_median_ns": measurement.candidate_median_ns,
        "fidelity": {score.name: score.value for score in measurement.fidelity},
        "verdict": verdict.outcome.value,
        "reason": verdict.reason,
    }


def _stats(times_ns: list[int]) -> dict[str, Any]:
    """What pytest-benchmark says of a list of times, at least one; reckoned in whole nanoseconds, told in seconds."""
    several = len(times_ns) > 1
    mean_ns, total_ns = statistics.fmean(times_ns), sum(times_ns)
    stddev_ns = statistics.stdev(times_ns) if several else 0.0
    q1_ns, q3_ns = _quartiles(times_ns)
    lowest_ns, highest_ns = q1_ns - _FENCE * (q3_ns - q1_ns), q3_ns + _FENCE * (q3_ns - q1_ns)
    beyond_stddev = sum(abs(time_ns - mean_ns) > stddev_ns for time_ns in times_ns)
    beyond_fences = sum(not lowest_ns <= time_ns <= highest_ns for time_ns in times_ns)
    seconds = {
        "min": min(times_ns),
        "max": max(times_ns),
        "mean": mean_ns,
        "stddev": stddev_ns,
        "median": statistics.median(times_ns),
        "iqr": q3_ns - q1_ns,
        "q1": q1_ns,
        "q3": q3_ns,
        "ld15iqr": min(time_ns for time_ns in times_ns if time_ns >= lowest_ns),
        "hd15iqr": max(time_ns for time_ns in times_ns if time_ns <= highest_ns),
        "total": total_ns,
    }
    return {name: duration_ns / _NS_PER_S for name, duration_ns in seconds.items()} | {
        "rounds": len(times_ns),
        "iqr_outliers": beyond_fences,
        "stddev_outliers": beyond_stddev,
        "outliers": f"{beyond_stddev};{beyond_fences}",
        "ops": len(times_ns) * _NS_PER_S / total_ns if total_ns else 0.0,
        "data": [time_ns / _NS_PER_S for time_ns in times_ns],
        "iterations": 1,
    }


def _quartiles(times_ns: list[int]) -> tuple[float, float]:
    """The quartiles that pytest-benchmark means: the middle of each half, with and without the middle of the whole."""
    ordered = sorted(times_ns)
    short, long = max(len(ordered) // 2, 1), (len(ordered) + 1) // 2
    lower = (statistics.median(ordered[:short]) + statistics.median(ordered[:long])) / 2
    upper = (statistics.median(ordered[-short:]) + statistics.median(ordered[-long:])) / 2
    return lower, upper


def _machine_info(machine: Machine) -> dict[str, Any]:
    facts = dict(machine.facts)
    return {
        "node": facts.get("hostname", ""),
        "processor": machine.cpu_model,
        "machine": machine.architecture,
        "python_version": facts.get("python", ""),
        "system": "Linux",
        "release": facts.get("kernel", ""),
        "cpu": {"brand_raw": machine.cpu_model, "arch": machine.architecture, "count": machine.physical_cores},
        "xeonperf": fingerprint(machine),
    }


def fingerprint(machine: Machine) -> dict[str, Any]:
    """What we add to pytest-benchmark's ``machine_info``, under the name ``xeonperf``."""
    return {
        "comparability_class": machine.comparability_class,
        "isa": machine.isa.value,
        "threads": machine.threads,
        "facts": dict(machine.facts),
    }


def _commit_info(commit: Commit | Unknown) -> dict[str, Any]:
    """The commit under pytest-benchmark's names, which has a word of its own for "not in a repository"."""
    if isinstance(commit, Unknown):
        return {"id": "unversioned", "time": None, "author_time": None, "dirty": False, "branch": "(unknown)"}
    return {
        "id": commit.sha,
        "time": commit.committed_at,
        "author_time": None,
        "dirty": commit.dirty,
        "branch": commit.branch,
    }
