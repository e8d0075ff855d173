"""The flat JSON of ``xeonperf compare --json``: stable names for scripts.

A figure that is not there is null, and the object's ``unknown`` says why, by the name of the field.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.exchange.public import case_fields, ratio, with_reasons
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
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
            "proposed_floor_ratio": proposed if isinstance(proposed, Unknown) else proposed.proposed_ratio,
        }
    )


def _figures(shift: Shift | Unknown) -> dict[str, object]:
    if isinstance(shift, Unknown):
        names = ("change", "candidate_ratio", "baseline_ratio", "moved", "session_spread")
        return dict.fromkeys(names, shift)
    return {
        "change": ratio(shift.speedup),
        "candidate_ratio": shift.candidate_ratio,
        "baseline_ratio": shift.baseline_ratio,
        "moved": shift.moved.name.lower(),
        "session_spread": shift.spread,
    }
