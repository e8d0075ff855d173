"""Runs as a night brings them, made from a number: the same number gives the same run but for its id."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import Commit, Measurement
from pytest_xeonperf.store.identity import new_run_id

_EXAMPLE = native.loads((Path(__file__).parents[1] / "cli" / "run.json").read_text(encoding="utf-8"))
_MEASURED = next(result for result in _EXAMPLE.results if isinstance(result.measurement, Measurement))
_BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
_EVERY = timedelta(minutes=90)
_VARIANTS = ("compiled_bf16", "eager_bf16", "sdpa_bf16", "woq_int8", "woq_int4")


def made(number, *, cases, pairs=3):
    """A run with one measured result of each case; `pairs` bounds its size."""
    started = _BEGAN + number * _EVERY
    text = started.isoformat(timespec="seconds")
    commit = Commit(
        sha=f"{number:040x}",
        branch="main" if number % 10 else f"feature/{number // 10 % 7}",
        dirty=False,
        committed_at=text,
        subject=f"Change number {number}",
    )
    return replace(
        _EXAMPLE,
        id=new_run_id(),
        started_at=text,
        finished_at=(started + timedelta(minutes=20)).isoformat(timespec="seconds"),
        commit=commit,
        results=tuple(_result(number, place, text, pairs) for place in range(cases)),
    )


def _result(number, place, measured_at, pairs):
    case = replace(
        _MEASURED.case, workload=f"model-{place // len(_VARIANTS)}", variant=_VARIANTS[place % len(_VARIANTS)]
    )
    ratio = 2.0 + place % 7 / 4 + number % 11 / 200
    measurement = _MEASURED.measurement
    sample = measurement.samples[0]
    return replace(
        _MEASURED,
        node_id=f"suites/test_models.py::test_{place}",
        case=case,
        measured_at=measured_at,
        measurement=replace(
            measurement,
            case=case,
            samples=tuple(
                replace(
                    sample, round_index=index, baseline_ns=round(ratio * 10_000_000) + index, candidate_ns=10_000_000
                )
                for index in range(pairs)
            ),
            speedup=replace(measurement.speedup, ratio=ratio, low_ratio=ratio - 0.05, high_ratio=ratio + 0.05),
            baseline_median_ns=round(ratio * 10_000_000),
            candidate_median_ns=10_000_000,
        ),
    )
