"""Runs, cases and points of trends as flat JSON objects, for the service's lists: stable names.

A figure that is not there is null, and the object's ``unknown`` says why, by the name of the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_xeonperf.exchange.public import case_fields, ratio, with_reasons

if TYPE_CHECKING:
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.store.summaries import RunSummary, TrendPoint


def run_entry(summary: RunSummary) -> dict[str, Any]:
    """A run in a list of runs."""
    return with_reasons(
        {
            "id": summary.id,
            "state": summary.state.value,
            "started_at": summary.started_at,
            "finished_at": summary.finished_at,
            "sha": summary.sha,
            "branch": summary.branch,
            "cpu_model": summary.cpu_model,
            "isa": summary.isa.value,
            "comparability_class": summary.comparability_class,
            "outcomes": {outcome.value: number for outcome, number in summary.outcomes},
        }
    )


def case_entry(case: Case) -> dict[str, Any]:
    """A case in a list of cases."""
    return {"id": case.id, **case_fields(case)}


def point_entry(point: TrendPoint) -> dict[str, Any]:
    """A case in one run."""
    return with_reasons(
        {
            "run": point.run_id,
            "measured_at": point.measured_at,
            "sha": point.sha,
            "branch": point.branch,
            "speedup": ratio(point.speedup),
            "median_ns": point.candidate_median_ns,
            "baseline_median_ns": point.baseline_median_ns,
            "floor_ratio": point.floor_ratio,
            "verdict": point.outcome.value,
            "reason": point.reason,
            "comparability_class": point.comparability_class,
            "fingerprint": point.fingerprint,
        }
    )
