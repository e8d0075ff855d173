"""The flat JSON of ``xeonperf show --json``: stable names for scripts and dashboards.

A figure that is not there is null, and the object's ``unknown`` says why, by the name of the field.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.carryover import OrderEffect, order_effects
from pytest_xeonperf.judge.outlook import seen_below
from pytest_xeonperf.records import TIMED_ALONE, UNBOUNDED_RATIO, Bound, Commit, Limits, Measurement, Timing, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.records import Case, Contention, Estimate, Machine, Operator, Result, Run

SCHEMA = "xeonperf-show/1"


def dumps(run: Run) -> str:
    """The run as JSON text: ``schema``, ``run``, ``machine`` and one object for each of ``cases``.

    Raises:
        DataError: It holds a figure that is NaN or infinite.
    """
    document = {
        "schema": SCHEMA,
        "run": _run(run),
        "machine": _machine(run.machine),
        "cases": [_case(*pair) for pair in zip(run.results, order_effects(run.results), strict=True)],
    }
    try:
        return json.dumps(document, indent=2, allow_nan=False) + "\n"
    except ValueError as error:
        raise DataError("a figure that is NaN or infinite cannot be written as JSON", where=f"run {run.id}") from error


def with_reasons(values: Mapping[str, object]) -> dict[str, Any]:
    """The values with null for each `Unknown`, and the reasons gathered under ``unknown``."""
    reasons = {name: value.reason for name, value in values.items() if isinstance(value, Unknown)}
    return {name: None if name in reasons else value for name, value in values.items()} | {"unknown": reasons}


def case_fields(case: Case) -> dict[str, Any]:
    """What makes a case the one it is, under the names that all of our JSON has."""
    return {
        "workload": case.workload,
        "phase": case.phase,
        "preset": case.preset,
        "variant": case.variant,
        "metric": case.metric.value,
        "over": case.over,
    }


def ratio(estimate: Estimate | Unknown) -> dict[str, Any] | Unknown:
    """A ratio with its interval; an end that nothing bounds is null. One that is not known stays so."""
    if isinstance(estimate, Unknown):
        return estimate
    return {
        "ratio": estimate.ratio,
        "low_ratio": estimate.low_ratio or None,
        "high_ratio": estimate.high_ratio if estimate.high_ratio < UNBOUNDED_RATIO else None,
        "confidence": estimate.confidence,
    }


def items_per_s(measured: Measurement | Timing) -> float | Unknown:
    """How many items of work a second: the inverse of the median."""
    median_ns = measured.median_ns if isinstance(measured, Timing) else measured.candidate_median_ns
    return 1e9 / median_ns if median_ns > 0 else Unknown(reason="shorter than the clock can tell")


def achieved_bytes_per_s(measured: Measurement) -> float | Unknown:
    """The rate at which weights were read, where reading them binds the case."""
    roofline, per_s = measured.roofline, items_per_s(measured)
    if isinstance(roofline, Unknown):
        return roofline
    if roofline.bound is not Bound.BANDWIDTH:
        return Unknown(reason="arithmetic binds this case, not reading")
    return per_s if isinstance(per_s, Unknown) else roofline.weight_bytes * per_s / measured.items_per_call


def achieved_flop_per_s(measured: Measurement) -> float | Unknown:
    """The rate of arithmetic, whatever binds the case."""
    roofline, per_s = measured.roofline, items_per_s(measured)
    if isinstance(roofline, Unknown):
        return roofline
    return per_s if isinstance(per_s, Unknown) else roofline.flop * per_s / measured.items_per_call


def _run(run: Run) -> dict[str, Any]:
    commit = run.commit
    return with_reasons(
        {
            "id": run.id,
            "state": run.state.value,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "command": run.command,
            "options": dict(run.options),
            "sha": commit.sha if isinstance(commit, Commit) else commit,
            "branch": commit.branch if isinstance(commit, Commit) else commit,
            "dirty": commit.dirty if isinstance(commit, Commit) else commit,
            "author": commit.author if isinstance(commit, Commit) else commit,
        }
    )


def _machine(machine: Machine) -> dict[str, Any]:
    limits = machine.limits
    return with_reasons(
        {
            "cpu_model": machine.cpu_model,
            "architecture": machine.architecture,
            "isa": machine.isa.value,
            "amx_remedy": machine.amx.remedy.value,
            "threads": machine.threads,
            "physical_cores": machine.physical_cores,
            "memory_bytes": machine.memory_bytes,
            "comparability_class": machine.comparability_class,
            "fingerprint": machine.fingerprint,
            "facts": dict(machine.facts),
            "read_bytes_per_s": limits.read_bytes_per_s if isinstance(limits, Limits) else limits,
            "fp32_flop_per_s": limits.fp32_flop_per_s if isinstance(limits, Limits) else limits,
            "bf16_flop_per_s": limits.bf16_flop_per_s if isinstance(limits, Limits) else limits,
            "int8_op_per_s": limits.int8_op_per_s if isinstance(limits, Limits) else limits,
        }
    )


def _case(result: Result, order: OrderEffect | Unknown) -> dict[str, Any]:
    case, verdict, measurement = result.case, result.verdict, result.measurement
    return with_reasons(
        {
            **case_fields(case),
            **(_figures(measurement) if isinstance(measurement, Measurement) else _few_figures(measurement)),
            "carry_over": carry_over(order),
            "floor_ratio": verdict.floor_ratio,
            "seen_below_ratio": seen_below(result),
            "verdict": verdict.outcome.value,
            "reason": verdict.reason,
            "node_id": result.node_id,
            "location": result.location,
            "measured_at": result.measured_at,
        }
    )


_FIGURES = (
    "speedup_ratio",
    "interval",
    "confidence",
    "item",
    "median_ns",
    "baseline_median_ns",
    "fidelity",
    "peak_rss_bytes",
    "weight_bytes",
    "roofline_fraction",
    "items_per_s",
    "achieved_bytes_per_s",
    "achieved_flop_per_s",
    "voided_rounds",
    "disturbed_rounds",
    "stolen_share",
    "others_share",
    "throttled_ns",
    "operators",
)


def _figures(measurement: Measurement) -> dict[str, object]:
    """The figures of a measurement, under the names of `_FIGURES` and in their order."""
    roofline = measurement.roofline
    figures = (
        measurement.speedup.ratio,
        _interval(measurement.speedup),
        measurement.speedup.confidence,
        measurement.item,
        measurement.candidate_median_ns,
        measurement.baseline_median_ns,
        {score.name: score.value for score in measurement.fidelity},
        measurement.evidence.peak_rss_bytes,
        measurement.evidence.weight_bytes,
        roofline if isinstance(roofline, Unknown) else roofline.fraction,
        items_per_s(measurement),
        achieved_bytes_per_s(measurement),
        achieved_flop_per_s(measurement),
        measurement.voided_rounds,
        measurement.disturbed_rounds,
        *contention_figures(measurement.contention),
        _operators(measurement.evidence.operators),
    )
    return dict(zip(_FIGURES, figures, strict=True))


def contention_figures(contention: Contention | Unknown) -> tuple[float | Unknown, float | Unknown, int | Unknown]:
    """Shares of the cores' time that were stolen and taken by others, and the time throttled."""
    if isinstance(contention, Unknown):
        return contention, contention, contention
    return (
        contention.share(contention.stolen_ns),
        contention.share(contention.others_ns),
        contention.throttled_ns,
    )


def _operators(operators: tuple[Operator, ...] | Unknown) -> list[dict[str, object]] | Unknown:
    """The operators of the profiled call, of which only shares can be compared with a timed one."""
    if isinstance(operators, Unknown):
        return operators
    whole_ns = sum(each.self_ns for each in operators)
    return [
        {
            "name": each.name,
            "share": each.self_ns / whole_ns if whole_ns else 0.0,
            "self_ns": each.self_ns,
            "calls": each.calls,
        }
        for each in operators
    ]


def _few_figures(measurement: Timing | Unknown) -> dict[str, object]:
    """The same of what was timed alone, or not measured."""
    if isinstance(measurement, Unknown):
        return dict.fromkeys(_FIGURES, measurement)
    known = {"item": measurement.item, "median_ns": measurement.median_ns, "items_per_s": items_per_s(measurement)}
    return dict.fromkeys(_FIGURES, TIMED_ALONE) | known


def carry_over(order: OrderEffect | Unknown) -> dict[str, object] | Unknown:
    """What the order within the rounds did to the ratio. One that is not known stays so."""
    if isinstance(order, Unknown):
        return order
    return {
        "baseline_first_ratio": order.baseline_first_ratio,
        "baseline_first_pairs": order.baseline_first_pairs,
        "candidate_first_ratio": order.candidate_first_ratio,
        "candidate_first_pairs": order.candidate_first_pairs,
        "effect_ratio": order.effect_ratio,
        "p_value": order.p_value,
        "seen": order.seen,
    }


def _interval(speedup: Estimate) -> list[float | None]:
    """Low and high; null where nothing bounds the ratio from above."""
    return [speedup.low_ratio, speedup.high_ratio if speedup.high_ratio < UNBOUNDED_RATIO else None]
