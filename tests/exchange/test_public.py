"""The flat JSON that scripts rely on: names and shapes are a promise."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.exchange import public
from pytest_xeonperf.records import Bound, Roofline, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Result, Run

_TOO_FEW = "the baseline ran first in 3 pairs and the candidate in 0: it takes 4 of either order"


def test_a_measured_case_has_exactly_these_fields(make_run: Callable[..., Run]) -> None:
    document = json.loads(public.dumps(make_run()))
    assert document["schema"] == "xeonperf-show/1"
    assert document["cases"] == [
        {
            "workload": "sam-vit-b",
            "phase": "encode",
            "preset": "quick",
            "variant": "compiled_bf16",
            "metric": "latency",
            "over": "eager_fp32",
            "speedup_ratio": 3.5,
            "interval": [3.4, 3.6],
            "confidence": 0.95,
            "item": "image",
            "median_ns": 10_000_000,
            "baseline_median_ns": 35_000_000,
            "fidelity": {"cosine": 0.9998, "psnr_db": 52.0},
            "peak_rss_bytes": 1 << 30,
            "weight_bytes": 180 << 20,
            "roofline_fraction": 0.71,
            "items_per_s": 100.0,
            "achieved_bytes_per_s": None,
            "achieved_flop_per_s": 1e14,
            "voided_rounds": 0,
            "disturbed_rounds": 2,
            "stolen_share": 0.01,
            "others_share": 0.02,
            "throttled_ns": 0,
            "operators": [
                {"name": "aten::mm", "share": 0.75, "self_ns": 9_000_000, "calls": 12},
                {"name": "(outside of operators)", "share": 0.25, "self_ns": 3_000_000, "calls": 0},
            ],
            "carry_over": None,
            "floor_ratio": 2.91,
            "seen_below_ratio": None,
            "verdict": "PASS",
            "reason": "above its floor",
            "node_id": "suites/test_sam.py::test_compiled",
            "location": "suites/test_sam.py:12",
            "measured_at": "2026-09-01T10:01:00+00:00",
            "unknown": {
                "achieved_bytes_per_s": "arithmetic binds this case, not reading",
                "carry_over": _TOO_FEW,
                "seen_below_ratio": "too few pairs to bound the speed-up",
            },
        }
    ]


def test_what_is_missing_is_null_and_says_why(make_run: Callable[..., Run], crashed: Result, unbounded: Result) -> None:
    first, second = json.loads(public.dumps(make_run(results=(crashed, unbounded))))["cases"]
    assert first["speedup_ratio"] is first["interval"] is first["fidelity"] is first["floor_ratio"] is None
    assert first["verdict"] == "CRASHED"
    assert first["unknown"]["median_ns"] == "died of SIGSEGV"
    assert first["unknown"]["floor_ratio"] == "no floor"
    assert second["interval"] == [0.0, None]
    assert second["unknown"] == {
        "peak_rss_bytes": "not asked for",
        "roofline_fraction": "the workload gives no footprint",
        "achieved_bytes_per_s": "the workload gives no footprint",
        "achieved_flop_per_s": "the workload gives no footprint",
        "carry_over": _TOO_FEW,
        "seen_below_ratio": "too few pairs to bound the speed-up",
    }
    assert first.keys() == second.keys()


def test_where_reading_weights_binds_the_rate_of_it_is_told(
    make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    measured = make_result().measurement
    roofline = Roofline(fraction=0.5, bound=Bound.BANDWIDTH, flop=10**9, weight_bytes=105_000_000)
    result = make_result(
        measurement=replace(measured, roofline=roofline, items_per_call=4, candidate_median_ns=2_500_000)
    )
    (case,) = json.loads(public.dumps(make_run(results=(result,))))["cases"]
    # ten milliseconds for a call of four items
    assert (case["items_per_s"], case["achieved_bytes_per_s"], case["achieved_flop_per_s"]) == (400.0, 1.05e10, 1e11)
    assert case["unknown"] == {
        "carry_over": _TOO_FEW,
        "seen_below_ratio": "too few pairs to bound the speed-up",
    }


def test_what_is_shorter_than_the_clock_can_tell_has_no_rate(
    make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    instant = replace(make_result().measurement, candidate_median_ns=0)
    (case,) = json.loads(public.dumps(make_run(results=(make_result(measurement=instant),))))["cases"]
    assert case["items_per_s"] is case["achieved_flop_per_s"] is None
    assert case["unknown"]["items_per_s"] == "shorter than the clock can tell"


def test_what_the_order_did_is_told_with_both_ratios(
    make_run: Callable[..., Run], make_result: Callable[..., Result], carried: Result
) -> None:
    seen, unseen = json.loads(public.dumps(make_run(results=(carried, make_result()))))["cases"]
    assert seen["carry_over"] == {
        "baseline_first_ratio": pytest.approx(4.0),
        "baseline_first_pairs": 5,
        "candidate_first_ratio": pytest.approx(4.4),
        "candidate_first_pairs": 4,
        "effect_ratio": pytest.approx(4.0 / 4.4),
        "p_value": 1 / 126,
        "seen": True,
    }
    assert seen["unknown"] == {"achieved_bytes_per_s": "arithmetic binds this case, not reading"}
    assert seen.keys() == unseen.keys()


def test_run_and_machine_are_told_beside_the_cases(make_run: Callable[..., Run]) -> None:
    run = make_run()
    document = json.loads(public.dumps(run))
    assert document["run"]["id"] == run.id
    assert (document["run"]["sha"], document["run"]["branch"], document["run"]["unknown"]) == ("0f" * 20, "main", {})
    assert document["run"]["author"] == "Ann"
    assert document["machine"]["isa"] == "amx_bf16"
    assert document["machine"]["facts"] == {"kernel": "6.1.0", "torch": "2.13.0"}
    assert document["machine"]["comparability_class"] == run.machine.comparability_class


def test_a_run_outside_a_repository_has_the_same_fields(make_run: Callable[..., Run]) -> None:
    run = json.loads(public.dumps(make_run(commit=Unknown(reason="not a repository"))))["run"]
    assert run["sha"] is run["branch"] is run["dirty"] is run["author"] is None
    assert run["unknown"] == dict.fromkeys(("sha", "branch", "dirty", "author"), "not a repository")
    assert run.keys() == json.loads(public.dumps(make_run()))["run"].keys()


def test_what_was_timed_alone_has_a_latency_and_the_same_fields(
    make_run: Callable[..., Run], make_result: Callable[..., Result], timed: Result
) -> None:
    alone, compared = json.loads(public.dumps(make_run(results=(timed, make_result()))))["cases"]
    assert (alone["median_ns"], alone["item"], alone["over"]) == (1_255_000, "call", "nothing")
    assert alone["items_per_s"] == 1e9 / 1_255_000
    assert alone["speedup_ratio"] is alone["baseline_median_ns"] is alone["interval"] is None
    assert alone["unknown"]["speedup_ratio"] == "timed alone: only its latency is known"
    assert (alone["carry_over"], alone["unknown"]["carry_over"]) == (None, alone["unknown"]["speedup_ratio"])
    assert alone.keys() == compared.keys()
