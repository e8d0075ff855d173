"""Records from rows: pure, the other half of `to_rows`. Each function reads the columns of one table by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_xeonperf.records import (
    TIMED_ALONE,
    Amx,
    Bound,
    Case,
    Commit,
    Contention,
    Estimate,
    Evidence,
    Expectation,
    Isa,
    Limits,
    Machine,
    Measurement,
    Metric,
    Operator,
    Outcome,
    Remedy,
    Result,
    Roofline,
    Run,
    RunState,
    Sample,
    Score,
    Timing,
    Unknown,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    Columns = Mapping[str, Any]


def known(columns: Columns, name: str, why: str) -> Any | Unknown:
    """The value of a column, or the reason that stands beside it."""
    return Unknown(reason=columns[why]) if columns[name] is None else columns[name]


def machine_from(machine: Columns, run: Columns) -> Machine:
    """The machine, with what its session found."""
    return Machine(
        architecture=machine["architecture"],
        cpu_model=machine["cpu_model"],
        isa=Isa(machine["isa"]),
        amx=Amx(
            advertised=run["amx_advertised"],
            usable_by_onednn=run["amx_usable_by_onednn"],
            usable_by_inductor=run["amx_usable_by_inductor"],
            remedy=Remedy(machine["amx_remedy"]),
            detail=run["amx_detail"],
        ),
        threads=machine["threads"],
        physical_cores=machine["physical_cores"],
        memory_bytes=machine["memory_bytes"],
        facts=pairs(machine["facts"]),
        limits=_limits(run),
    )


def pairs(listed: list[list[str]]) -> tuple[tuple[str, str], ...]:
    """(name, value) pairs from their JSON."""
    return tuple((name, value) for name, value in listed)


def _limits(run: Columns) -> Limits | Unknown:
    if run["read_bytes_per_s"] is None:
        return Unknown(reason=run["limits_unknown"])
    return Limits(
        read_bytes_per_s=run["read_bytes_per_s"],
        fp32_flop_per_s=run["fp32_flop_per_s"],
        bf16_flop_per_s=run["bf16_flop_per_s"],
        int8_op_per_s=run["int8_op_per_s"],
    )


def commit_from(commit: Columns, run: Columns) -> Commit | Unknown:
    """The commit, with the state of the working tree in which it was measured."""
    if run["commit_sha"] is None:
        return Unknown(reason=run["commit_unknown"])
    return Commit(
        sha=commit["sha"],
        branch=run["branch"],
        dirty=run["dirty"],
        committed_at=commit["committed_at"],
        subject=commit["subject"],
        author=known(commit, "author", "author_unknown"),
    )


def run_from(run: Columns, machine: Columns, commit: Columns, results: tuple[Result, ...]) -> Run:
    """The run, whole."""
    return Run(
        id=run["id"],
        state=RunState(run["state"]),
        started_at=run["started_at"],
        finished_at=known(run, "finished_at", "finished_unknown"),
        command=run["command"],
        options=pairs(run["options"]),
        machine=machine_from(machine, run),
        commit=commit_from(commit, run),
        results=results,
    )


def case_from(case: Columns) -> Case:
    """The case."""
    return Case(
        workload=case["workload"],
        phase=case["phase"],
        preset=case["preset"],
        variant=case["variant"],
        metric=Metric(case["metric"]),
        over=case["over"],
    )


def result_from(result: Columns, case: Case, verdict: Columns, measured: Measurement | Timing | Unknown) -> Result:
    """The result, with what `measured_from` made."""
    return Result(
        node_id=result["node_id"],
        location=result["location"],
        case=case,
        measured_at=result["measured_at"],
        measurement=measured,
        verdict=Verdict(
            outcome=Outcome(verdict["outcome"]),
            reason=verdict["reason"],
            floor_ratio=known(verdict, "floor_ratio", "floor_unknown"),
            expectations=tuple(Expectation(**expectation) for expectation in verdict["expectations"]),
        ),
    )


def measured_from(
    result: Columns, case: Case, measurement: Columns, timing: Columns, samples: tuple[Sample, ...]
) -> Measurement | Timing | Unknown:
    """What was measured; the columns of `measurement` or of `timing`, or of both, are all empty."""
    if result["measurement_unknown"] is not None:
        return Unknown(reason=result["measurement_unknown"])
    if timing["result_id"] is not None:
        return _timing(timing)
    return _measurement(case, measurement, samples)


def figures_from(
    result: Columns, measurement: Columns, timing: Columns
) -> tuple[Estimate | Unknown, int | Unknown, int | Unknown]:
    """The speed-up, the median of the baseline and that of the candidate, each with the reason if it is unknown."""
    if result["measurement_unknown"] is not None:
        unmeasured = Unknown(reason=result["measurement_unknown"])
        return unmeasured, unmeasured, unmeasured
    if timing["median_ns"] is not None:
        return TIMED_ALONE, TIMED_ALONE, timing["median_ns"]
    return _estimate(measurement), measurement["baseline_median_ns"], measurement["candidate_median_ns"]


def _estimate(measurement: Columns) -> Estimate:
    return Estimate(
        ratio=measurement["speedup_ratio"],
        low_ratio=measurement["low_ratio"],
        high_ratio=measurement["high_ratio"],
        confidence=measurement["confidence"],
    )


def sample_from(sample: Columns) -> Sample:
    """One pair."""
    return Sample(
        process=sample["process"],
        round_index=sample["round_index"],
        baseline_ns=sample["baseline_ns"],
        candidate_ns=sample["candidate_ns"],
        baseline_position=sample["baseline_position"],
        candidate_position=sample["candidate_position"],
    )


def _timing(timing: Columns) -> Timing:
    return Timing(
        item=timing["item"],
        rounds=timing["rounds"],
        durations_ns=tuple(timing["durations_ns"]),
        median_ns=timing["median_ns"],
    )


def _measurement(case: Case, measurement: Columns, samples: tuple[Sample, ...]) -> Measurement:
    return Measurement(
        case=case,
        item=measurement["item"],
        items_per_call=measurement["items_per_call"],
        samples=samples,
        voided_rounds=measurement["voided_rounds"],
        disturbed_rounds=known(measurement, "disturbed_rounds", "disturbed_rounds_unknown"),
        contention=_contention(measurement),
        seed=measurement["seed"],
        speedup=_estimate(measurement),
        baseline_median_ns=measurement["baseline_median_ns"],
        candidate_median_ns=measurement["candidate_median_ns"],
        fidelity=tuple(Score(**score) for score in measurement["fidelity"]),
        roofline=_roofline(measurement),
        evidence=Evidence(
            compile_ns=measurement["compile_ns"],
            graph_breaks=measurement["graph_breaks"],
            first_break=measurement["first_break"],
            recompiles=measurement["recompiles"],
            kernels=tuple(measurement["kernels"]),
            weight_bytes=measurement["weight_bytes"],
            peak_rss_bytes=known(measurement, "peak_rss_bytes", "peak_rss_unknown"),
            left_in_bf16=tuple(measurement["left_in_bf16"]),
            operators=_operators(measurement),
        ),
    )


def _operators(measurement: Columns) -> tuple[Operator, ...] | Unknown:
    if measurement["operators"] is None:
        return Unknown(reason=measurement["operators_unknown"])
    return tuple(Operator(name=name, self_ns=self_ns, calls=calls) for name, self_ns, calls in measurement["operators"])


def _contention(measurement: Columns) -> Contention | Unknown:
    if measurement["contention_elapsed_ns"] is None:
        return Unknown(reason=measurement["contention_unknown"])
    return Contention(
        elapsed_ns=measurement["contention_elapsed_ns"],
        cores=measurement["contention_cores"],
        stolen_ns=measurement["stolen_ns"],
        others_ns=measurement["others_ns"],
        throttled_ns=measurement["throttled_ns"],
    )


def _roofline(measurement: Columns) -> Roofline | Unknown:
    if measurement["roofline_fraction"] is None:
        return Unknown(reason=measurement["roofline_unknown"])
    return Roofline(
        fraction=measurement["roofline_fraction"],
        bound=Bound(measurement["roofline_bound"]),
        flop=measurement["roofline_flop"],
        weight_bytes=measurement["roofline_weight_bytes"],
    )
