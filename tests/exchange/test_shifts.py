"""The JSON of two runs that are compared: what explains a case is in it, under names that stay."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.exchange import shifts
from pytest_xeonperf.judge.runs import Past, compare_runs
from pytest_xeonperf.records import NOT_RECORDED, Operator, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pytest_xeonperf.records import Result, Run

NOTHING = Past(sessions=(), accepted=Unknown(reason="nothing was accepted"))


@pytest.fixture
def compared(make_run: Callable[..., Run], make_result: Callable[..., Result]) -> Callable[..., Any]:
    """Makes the JSON of the one case of two runs; of head, fields of the evidence and the latency can be given."""

    def make(candidate_median_ns: int = 20_000_000, **evidence: object) -> Any:
        base, head = (make_result(candidates_ns=(each_ns,) * 12) for each_ns in (10_000_000, candidate_median_ns))
        measured = replace(
            head.measurement,
            candidate_median_ns=candidate_median_ns,
            evidence=replace(head.measurement.evidence, **evidence),
        )
        runs = make_run(results=(base,)), make_run(results=(replace(head, measurement=measured),))
        found = compare_runs(*runs, lambda _: NOTHING, tolerance=0.05, alpha=0.05)
        return json.loads(shifts.dumps(found))["cases"][0]

    return make


def test_operators_are_told_with_what_each_contributes(compared: Callable[..., Any]) -> None:
    case = compared(operators=(Operator(name="aten::mm", self_ns=5, calls=6),))
    assert case["operators"] == [
        {
            "name": "aten::mm",
            "fate": "slower",
            "base_ns": 7_500_000,
            "head_ns": 20_000_000,
            "base_calls": 12,
            "head_calls": 6,
            "share": 1.25,
        },
        {
            "name": "(outside of operators)",
            "fate": "faster",
            "base_ns": 2_500_000,
            "head_ns": 0,
            "base_calls": 0,
            "head_calls": 0,
            "share": -0.25,
        },
    ]


def test_where_no_operator_explains_a_case_the_reason_is_told(compared: Callable[..., Any]) -> None:
    case = compared(operators=NOT_RECORDED)
    assert (case["operators"], case["unknown"]["operators"]) == (
        None,
        "the operators of head are unknown: not recorded",
    )


def test_of_a_change_that_cannot_be_told_from_noise_nothing_is_explained(
    make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    few = make_result()  # three pairs
    slower = replace(few, measurement=replace(few.measurement, candidate_median_ns=20_000_000))
    found = compare_runs(make_run(), make_run(results=(slower,)), lambda _: NOTHING, tolerance=0.05, alpha=0.05)
    (case,) = json.loads(shifts.dumps(found))["cases"]
    assert (case["verdict"], case["unknown"]["operators"]) == (
        "INCONCLUSIVE",
        "what changed cannot be told from noise",
    )


def test_another_dispatch_and_changes_of_the_evidence_are_told(compared: Callable[..., Any]) -> None:
    case = compared(10_000_000, kernels=("aten::addmm",), graph_breaks=1, first_break="numpy")
    assert case["kernels_appeared"] == ["aten::addmm"]
    assert case["evidence_changes"] == [{"name": "graph_breaks", "base": 0, "head": 1, "reason": "numpy"}]
    assert "within noise" in case["unknown"]["operators"]


def test_what_changed_about_the_machine_and_what_is_put_down_to_it_is_told(
    make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    base, head = (make_run(results=(make_result(candidates_ns=(ns,) * 12),)) for ns in (10_000_000, 20_000_000))
    torch = dict(base.machine.facts)["torch"]
    head = replace(head, machine=replace(head.machine, facts=(*base.machine.facts, ("torch", "9.9"))))
    document = json.loads(
        shifts.dumps(compare_runs(base, head, lambda _: NOTHING, tolerance=0.05, alpha=0.05)),
    )
    assert document["environment"] == [{"name": "torch", "base": torch, "head": "9.9"}]
    (case,) = document["cases"]
    assert (case["verdict"], case["put_down_to"]) == ("INCONCLUSIVE", f"torch {torch} -> 9.9")
    assert case["baseline_drifted"] is False
