"""The newest figure of each case as metrics, for a monitoring system that has its own alerts.

A commit is a label of the information about a run alone: as a label of figures, every commit would begin a new series.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange.exposition import Family, Kind, text
from pytest_xeonperf.records import TIMED_ALONE, UNBOUNDED_RATIO, Commit, Measurement, Outcome, Timing, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_xeonperf.alerts import AlertState
    from pytest_xeonperf.records import Case, Estimate, Isa, Result, Run
    from pytest_xeonperf.store.summaries import RunSummary, TrendPoint

_NS_PER_S = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a case came to on a class of machine.

    Attributes:
        machine: The comparability class.
        baseline_ns: Median for one item, as is `candidate_ns`.
    """

    case: Case
    machine: str
    measured_at: str
    outcome: Outcome
    speedup: Estimate | Unknown
    baseline_ns: int | Unknown
    candidate_ns: int | Unknown
    floor_ratio: float | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The newest run on a class of machine."""

    run_id: str
    started_at: str
    machine: str
    cpu_model: str
    isa: Isa
    sha: str | Unknown
    branch: str | Unknown


def dumps(run: Run) -> str:
    """A run for node_exporter's textfile collector.

    That reads an older format which knows neither states nor information: these are gauges here, everything else is
    OpenMetrics too.
    """
    newest = {result.case.id: _reading(result, run.machine.comparability_class) for result in run.results}
    return text(families(tuple(newest.values()), [_session(run)]), plain=True)


def reading_of(case: Case, point: TrendPoint) -> Reading:
    """A reading from a point of a trend."""
    return Reading(
        case=case,
        machine=point.comparability_class,
        measured_at=point.measured_at,
        outcome=point.outcome,
        speedup=point.speedup,
        baseline_ns=point.baseline_median_ns,
        candidate_ns=point.candidate_median_ns,
        floor_ratio=point.floor_ratio,
    )


def session_of(summary: RunSummary) -> Session:
    """A session from a run in a list."""
    return Session(
        run_id=summary.id,
        started_at=summary.started_at,
        machine=summary.comparability_class,
        cpu_model=summary.cpu_model,
        isa=summary.isa,
        sha=summary.sha,
        branch=summary.branch,
    )


def families(readings: Sequence[Reading], sessions: Sequence[Session]) -> tuple[Family, ...]:
    """The metrics of a history.

    Args:
        readings: One for each case and class of machine.
        sessions: One for each class of machine.
    """
    timestamps = [({"machine": each.machine}, _timestamp(each.started_at)) for each in sessions]
    return (
        _gauge("xeonperf_latency_seconds", "seconds", "Median time of one item of work.", _latencies(readings)),
        *_speedups(readings),
        _gauge(
            "xeonperf_measured_timestamp_seconds",
            "seconds",
            "When a case was measured last.",
            [(_labels(each), _timestamp(each.measured_at)) for each in readings],
        ),
        Family(
            name="xeonperf_verdict",
            kind=Kind.STATESET,
            help="What a case came to; only PASS is green.",
            samples=tuple(
                ({**_labels(each), "xeonperf_verdict": outcome.value}, float(outcome is each.outcome))
                for each in readings
                for outcome in Outcome
            ),
        ),
        Family(
            name="xeonperf_run",
            kind=Kind.INFO,
            help="The newest run on a class of machine.",
            samples=tuple((_information(each), 1.0) for each in sessions),
        ),
        _gauge("xeonperf_run_started_timestamp_seconds", "seconds", "When the newest run started.", timestamps),
    )


def alert_family(counts: Mapping[AlertState, int]) -> Family:
    """How many alerts of a history are in each state."""
    samples = [({"state": state.value}, float(number)) for state, number in counts.items()]
    return _gauge("xeonperf_alerts", "", "Slow-downs in the history, by what people made of them.", samples)


def _reading(result: Result, machine: str) -> Reading:
    found = result.measurement
    speedup: Estimate | Unknown = TIMED_ALONE
    baseline_ns: int | Unknown = TIMED_ALONE
    candidate_ns: int | Unknown
    if isinstance(found, Measurement):
        speedup, baseline_ns, candidate_ns = found.speedup, found.baseline_median_ns, found.candidate_median_ns
    elif isinstance(found, Timing):
        candidate_ns = found.median_ns
    else:
        speedup = baseline_ns = candidate_ns = found
    return Reading(
        case=result.case,
        machine=machine,
        measured_at=result.measured_at,
        outcome=result.verdict.outcome,
        speedup=speedup,
        baseline_ns=baseline_ns,
        candidate_ns=candidate_ns,
        floor_ratio=result.verdict.floor_ratio,
    )


def _session(run: Run) -> Session:
    machine, commit = run.machine, run.commit
    return Session(
        run_id=run.id,
        started_at=run.started_at,
        machine=machine.comparability_class,
        cpu_model=machine.cpu_model,
        isa=machine.isa,
        sha=commit.sha if isinstance(commit, Commit) else commit,
        branch=commit.branch if isinstance(commit, Commit) else commit,
    )


def _gauge(name: str, unit: str, said: str, samples: Sequence[tuple[Mapping[str, str], float]]) -> Family:
    return Family(name=name, kind=Kind.GAUGE, unit=unit, help=said, samples=tuple(samples))


def _latencies(readings: Sequence[Reading]) -> list[tuple[Mapping[str, str], float]]:
    return [
        ({**_labels(each), "side": side}, duration_ns / _NS_PER_S)
        for each in readings
        for side, duration_ns in (("candidate", each.candidate_ns), ("baseline", each.baseline_ns))
        if not isinstance(duration_ns, Unknown)
    ]


def _speedups(readings: Sequence[Reading]) -> Iterator[Family]:
    known = [(_labels(each), each.speedup) for each in readings if not isinstance(each.speedup, Unknown)]
    floors = [(_labels(each), each.floor_ratio) for each in readings if not isinstance(each.floor_ratio, Unknown)]
    ratios = [(labels, found.ratio) for labels, found in known]
    lows = [(labels, found.low_ratio) for labels, found in known]
    highs = [(labels, found.high_ratio if found.high_ratio < UNBOUNDED_RATIO else inf) for labels, found in known]
    yield _gauge("xeonperf_speedup_ratio", "ratio", "Baseline by candidate: above 1 is faster.", ratios)
    yield _gauge("xeonperf_speedup_low_ratio", "ratio", "Lower end of the speed-up's interval.", lows)
    yield _gauge("xeonperf_speedup_high_ratio", "ratio", "Upper end of the speed-up's interval.", highs)
    yield _gauge("xeonperf_floor_ratio", "ratio", "Speed-up that the test asks for.", floors)


def _labels(reading: Reading) -> dict[str, str]:
    case = reading.case
    return {
        "workload": case.workload,
        "phase": case.phase,
        "preset": case.preset,
        "variant": case.variant,
        "over": case.over,
        "machine": reading.machine,
    }


def _information(session: Session) -> dict[str, str]:
    """Labels; what nobody knows is empty, which is the same as no label."""
    return {
        "machine": session.machine,
        "run": session.run_id,
        "commit": "" if isinstance(session.sha, Unknown) else session.sha,
        "branch": "" if isinstance(session.branch, Unknown) else session.branch,
        "cpu_model": session.cpu_model,
        "isa": session.isa.value,
    }


def _timestamp(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
