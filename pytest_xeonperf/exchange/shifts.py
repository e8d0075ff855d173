"""The flat JSON of ``xeonperf compare --json``: stable names for scripts.

A figure that is not there is null, and the object's ``unknown`` says why, by the name of the field.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.exchange.public import case_fields, ratio, with_reasons
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.judge.operators import Dispatch, Explanation
    from pytest_xeonperf.judge.runs import RunComparison, ShiftedCase
    from pytest_xeonperf.judge.shift import Shift
    from pytest_xeonperf.records import Run

SCHEMA = "xeonperf-compare/1"


def dumps(comparison: RunComparison) -> str:
    """The comparison as JSON text, worst case first."""
    document = {
        "schema": SCHEMA,
        "verdict": comparison.outcome.value,
        "base": _side(comparison.base),
        "head": _side(comparison.head),
        "tolerance": comparison.tolerance,
        "alpha": comparison.alpha,
        "environment": [
            {"name": each.name, "base": each.before, "head": each.after} for each in comparison.environment
        ],
        "notes": list(comparison.notes),
        "cases": [_case(each) for each in comparison.worst_first],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _side(run: Run) -> dict[str, Any]:
    commit = run.commit
    return with_reasons(
        {
            "run": run.id,
            "started_at": run.started_at,
            "sha": commit if isinstance(commit, Unknown) else commit.sha,
            "dirty": commit if isinstance(commit, Unknown) else commit.dirty,
            "comparability_class": run.machine.comparability_class,
        }
    )


def _case(each: ShiftedCase) -> dict[str, Any]:
    case, proposed = each.case, each.proposed
    return with_reasons(
        {
            **case_fields(case),
            "location": each.location,
            "verdict": each.outcome.value,
            "reason": each.reason,
            "base_speedup": ratio(each.base_speedup),
            "head_speedup": ratio(each.head_speedup),
            **_figures(each.shift),
            "put_down_to": each.surroundings,
            "proposed_floor_ratio": proposed if isinstance(proposed, Unknown) else proposed.proposed_ratio,
            "operators": _operators(each.explained),
            **_kernels(each.dispatch),
            "evidence_changes": [
                {"name": shift.figure.value, "base": shift.before, "head": shift.after, "reason": shift.reason}
                for shift in each.figures
            ],
        }
    )


def _operators(explained: Explanation | Unknown) -> list[dict[str, object]] | Unknown:
    """What each operator contributes to the change of one timed call, most first; shares of all add up to one."""
    if isinstance(explained, Unknown):
        return explained
    return [
        {
            "name": each.name,
            "fate": each.fate.value,
            "base_ns": round(each.before_ns),
            "head_ns": round(each.after_ns),
            "base_calls": each.calls_before,
            "head_calls": each.calls_after,
            "share": explained.share_of(each),
        }
        for each in explained.contributions
    ]


def _kernels(found: Dispatch | Unknown) -> dict[str, object]:
    if isinstance(found, Unknown):
        return {"kernels_appeared": found, "kernels_vanished": found}
    return {"kernels_appeared": list(found.appeared), "kernels_vanished": list(found.vanished)}


def _figures(shift: Shift | Unknown) -> dict[str, object]:
    if isinstance(shift, Unknown):
        names = ("change", "candidate_ratio", "baseline_ratio", "moved", "session_spread", "baseline_drifted")
        return dict.fromkeys(names, shift)
    return {
        "change": ratio(shift.speedup),
        "candidate_ratio": shift.candidate_ratio,
        "baseline_ratio": shift.baseline_ratio,
        "moved": shift.moved.name.lower(),
        "session_spread": shift.spread,
        "baseline_drifted": shift.drifted,
    }
