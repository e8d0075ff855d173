"""Rows from records: pure, the other half of `from_rows`."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.records import Limits, Sample, Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.records import (
        Acceptance,
        Case,
        Commit,
        Contention,
        Machine,
        Measurement,
        Operator,
        Result,
        Roofline,
        Run,
        Timing,
        Verdict,
    )

_CONTENTION_COLUMNS = ("contention_elapsed_ns", "contention_cores", "stolen_ns", "others_ns", "throttled_ns")
_ROOFLINE_COLUMNS = ("roofline_fraction", "roofline_bound", "roofline_flop", "roofline_weight_bytes")


def machine_row(machine: Machine) -> dict[str, Any]:
    """A row of `machine`."""
    return {
        "fingerprint": machine.fingerprint,
        "comparability_class": machine.comparability_class,
        "architecture": machine.architecture,
        "cpu_model": machine.cpu_model,
        "isa": machine.isa.value,
        "amx_remedy": machine.amx.remedy.value,
        "threads": machine.threads,
        "physical_cores": machine.physical_cores,
        "memory_bytes": machine.memory_bytes,
        "facts": [list(fact) for fact in machine.facts],
    }


def commit_row(commit: Commit) -> dict[str, Any]:
    """A row of `commit_`."""
    return {
        "sha": commit.sha,
        "committed_at": commit.committed_at,
        "subject": commit.subject,
        **_either(commit.author, "author", "author_unknown"),
    }


def case_row(case: Case) -> dict[str, Any]:
    """A row of `case_`."""
    return {**asdict(case), "id": case.id, "metric": case.metric.value}


def run_row(run: Run) -> dict[str, Any]:
    """A row of `run`, without its results."""
    return {
        "id": run.id,
        "state": run.state.value,
        "started_at": run.started_at,
        **finish_columns(run.finished_at),
        "command": run.command,
        "options": [list(option) for option in run.options],
        **_commit_columns(run.commit),
        **session_columns(run.machine),
    }


def finish_columns(finished_at: str | Unknown) -> dict[str, Any]:
    """The columns of `run` that say when it ended."""
    return _either(finished_at, "finished_at", "finished_unknown")


def session_columns(machine: Machine) -> dict[str, Any]:
    """The columns of `run` that say on what it ran and what that machine could do in this session."""
    return {
        "machine_fingerprint": machine.fingerprint,
        "amx_advertised": machine.amx.advertised,
        "amx_usable_by_onednn": machine.amx.usable_by_onednn,
        "amx_usable_by_inductor": machine.amx.usable_by_inductor,
        "amx_detail": machine.amx.detail,
        **limit_columns(machine.limits),
    }


def limit_columns(limits: Limits | Unknown) -> dict[str, Any]:
    """The columns of `run` that hold the measured limits."""
    if isinstance(limits, Unknown):
        return {**dict.fromkeys(field.name for field in fields(Limits)), "limits_unknown": limits.reason}
    return {**asdict(limits), "limits_unknown": None}


def _commit_columns(commit: Commit | Unknown) -> dict[str, Any]:
    if isinstance(commit, Unknown):
        return {"commit_sha": None, "commit_unknown": commit.reason, "branch": None, "dirty": None}
    return {"commit_sha": commit.sha, "commit_unknown": None, "branch": commit.branch, "dirty": commit.dirty}


def result_row(run_id: str, result: Result) -> dict[str, Any]:
    """A row of `result`; the database gives its id."""
    unmeasured = result.measurement.reason if isinstance(result.measurement, Unknown) else None
    return {
        "run_id": run_id,
        "node_id": result.node_id,
        "location": result.location,
        "case_id": result.case.id,
        "measured_at": result.measured_at,
        "measurement_unknown": unmeasured,
    }


def verdict_row(result_id: int, verdict: Verdict) -> dict[str, Any]:
    """A row of `verdict`."""
    return {
        "result_id": result_id,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        **_either(verdict.floor_ratio, "floor_ratio", "floor_unknown"),
        "expectations": [asdict(expectation) for expectation in verdict.expectations],
    }


def measurement_row(result_id: int, measurement: Measurement) -> dict[str, Any]:
    """A row of `measurement`, without its samples."""
    evidence = measurement.evidence
    return {
        "result_id": result_id,
        "item": measurement.item,
        "items_per_call": measurement.items_per_call,
        "voided_rounds": measurement.voided_rounds,
        **_either(measurement.disturbed_rounds, "disturbed_rounds", "disturbed_rounds_unknown"),
        **_contention_columns(measurement.contention),
        "seed": measurement.seed,
        "speedup_ratio": measurement.speedup.ratio,
        "low_ratio": measurement.speedup.low_ratio,
        "high_ratio": measurement.speedup.high_ratio,
        "confidence": measurement.speedup.confidence,
        "baseline_median_ns": measurement.baseline_median_ns,
        "candidate_median_ns": measurement.candidate_median_ns,
        "fidelity": [asdict(score) for score in measurement.fidelity],
        **_roofline_columns(measurement.roofline),
        "compile_ns": evidence.compile_ns,
        "graph_breaks": evidence.graph_breaks,
        "first_break": evidence.first_break,
        "recompiles": evidence.recompiles,
        "kernels": list(evidence.kernels),
        "weight_bytes": evidence.weight_bytes,
        **_either(evidence.peak_rss_bytes, "peak_rss_bytes", "peak_rss_unknown"),
        "left_in_bf16": list(evidence.left_in_bf16),
        **_operator_columns(evidence.operators),
    }


_OF_A_SAMPLE = tuple(field.name for field in fields(Sample))
"""Taken by name: `asdict` copies each value deeply, and there are thousands."""


def sample_rows(result_id: int, samples: tuple[Sample, ...]) -> list[dict[str, Any]]:
    """The rows of `sample` of one measurement."""
    return [
        {"result_id": result_id, "position": place, **{name: getattr(sample, name) for name in _OF_A_SAMPLE}}
        for place, sample in enumerate(samples)
    ]


def timing_row(result_id: int, timing: Timing) -> dict[str, Any]:
    """A row of `timing`."""
    return {"result_id": result_id, **asdict(timing), "durations_ns": list(timing.durations_ns)}


def acceptance_row(acceptance: Acceptance) -> dict[str, Any]:
    """A row of `acceptance`."""
    return {
        "case_id": acceptance.case.id,
        "run_id": acceptance.run_id,
        "accepted_at": acceptance.accepted_at,
        "accepted_by": acceptance.accepted_by,
        "reason": acceptance.reason,
    }


def _contention_columns(contention: Contention | Unknown) -> dict[str, Any]:
    if isinstance(contention, Unknown):
        return {**dict.fromkeys(_CONTENTION_COLUMNS), "contention_unknown": contention.reason}
    figures = asdict(contention).values()
    return {**dict(zip(_CONTENTION_COLUMNS, figures, strict=True)), "contention_unknown": None}


def _roofline_columns(roofline: Roofline | Unknown) -> dict[str, Any]:
    if isinstance(roofline, Unknown):
        return {**dict.fromkeys(_ROOFLINE_COLUMNS), "roofline_unknown": roofline.reason}
    figures = (roofline.fraction, roofline.bound.value, roofline.flop, roofline.weight_bytes)
    return {**dict(zip(_ROOFLINE_COLUMNS, figures, strict=True)), "roofline_unknown": None}


def _operator_columns(operators: tuple[Operator, ...] | Unknown) -> dict[str, Any]:
    if isinstance(operators, Unknown):
        return {"operators": None, "operators_unknown": operators.reason}
    return {"operators": [[each.name, each.self_ns, each.calls] for each in operators], "operators_unknown": None}


def _either(value: object, known: str, why: str) -> dict[str, Any]:
    if isinstance(value, Unknown):
        return {known: None, why: value.reason}
    return {known: value, why: None}
