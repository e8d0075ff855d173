"""The flat JSON of ``xeonperf gate --json``: stable names for scripts.

A figure that is not there is null, and the object's ``unknown`` says why, by the name of the field.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.exchange.public import carry_over, case_fields, contention_figures, ratio, with_reasons
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.judge.comparison import ComparedCase, Comparison, Course
    from pytest_xeonperf.records import Commit, Machine

SCHEMA = "xeonperf-gate/1"


def dumps(comparison: Comparison) -> str:
    """The comparison as JSON text, worst case first."""
    document = {
        "schema": SCHEMA,
        "verdict": comparison.outcome.value,
        "base": _side(comparison.base_commit, comparison.base_machine),
        "head": _side(comparison.head_commit, comparison.head_machine),
        "tolerance": comparison.tolerance,
        "alpha": comparison.alpha,
        "voided_rounds": comparison.voided_rounds,
        "disturbed_rounds": comparison.disturbed_rounds,
        "models": [_course(course) for course in comparison.courses],
        "command": comparison.command,
        "notes": list(comparison.notes),
        "cases": [_case(each) for each in comparison.worst_first],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _side(commit: Commit, machine: Machine) -> dict[str, Any]:
    facts = dict(machine.facts)
    return {
        "sha": commit.sha,
        "branch": commit.branch,
        "dirty": commit.dirty,
        "torch": facts.get("torch"),
        "comparability_class": machine.comparability_class,
    }


def _course(course: Course) -> dict[str, Any]:
    """How the rounds of a model went; those of the confirming look are another entry of the same model."""
    stolen_share, others_share, throttled_ns = contention_figures(course.contention)
    return with_reasons(
        {
            "model": course.model,
            "look": "confirming" if course.confirming else "first",
            "seed": course.seed,
            "in_turns": course.in_turns,
            "voided_rounds": course.voided_rounds,
            "disturbed_rounds": course.disturbed_rounds,
            "stolen_share": stolen_share,
            "others_share": others_share,
            "throttled_ns": throttled_ns,
        }
    )


def _pairs(each: ComparedCase) -> dict[str, list[int]]:
    """The raw pairs, a list for each column: of one call, with the places in the order of their rounds."""
    return {
        "look": [1 + pair.process for pair in each.pairs],
        "round": [pair.round_index for pair in each.pairs],
        "base_ns": [pair.baseline_ns for pair in each.pairs],
        "head_ns": [pair.candidate_ns for pair in each.pairs],
        "base_position": [pair.baseline_position for pair in each.pairs],
        "head_position": [pair.candidate_position for pair in each.pairs],
    }


def _case(each: ComparedCase) -> dict[str, Any]:
    case, change = each.case, each.change
    identity = {
        **case_fields(case),
        "model": each.model,
        "test": each.node_id,
        "location": each.location,
        "verdict": each.outcome.value,
        "reason": each.reason,
    }
    if isinstance(change, Unknown):
        names = ("rounds", "base_ns", "head_ns", "own", "baseline", "speedup", "moved", "excluded_slowdown")
        return with_reasons({**identity, **dict.fromkeys((*names, "carry_over", "pairs"), change)})
    return with_reasons(
        {
            **identity,
            "rounds": change.pairs,
            "base_ns": change.base_ns // each.items_per_call,
            "head_ns": change.head_ns // each.items_per_call,
            "own": ratio(change.own),
            "baseline": ratio(change.baseline),
            "speedup": ratio(change.speedup),
            "moved": change.moved.name.lower(),
            "excluded_slowdown": each.seen_from,
            "carry_over": carry_over(each.order),
            "pairs": _pairs(each),
        }
    )
