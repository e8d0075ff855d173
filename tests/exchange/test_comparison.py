"""The JSON of a gate: stable names, no figure that JSON has not."""

import json
from dataclasses import replace

import pytest

from pytest_xeonperf.exchange.comparison import SCHEMA, dumps
from pytest_xeonperf.judge.carryover import order_effect
from pytest_xeonperf.judge.change import Times, change_of
from pytest_xeonperf.records import Outcome, Sample, Unknown


def test_it_has_the_verdict_both_sides_and_the_cases_worst_first(comparison, compared):
    document = json.loads(dumps(comparison(compared(), compared(Outcome.REGRESSION))))
    assert document["schema"] == SCHEMA == "xeonperf-gate/1"
    assert document["verdict"] == "REGRESSION"
    assert (document["base"]["sha"], document["head"]["torch"]) == ("a" * 40, "2.13.0")
    assert [case["verdict"] for case in document["cases"]] == ["REGRESSION", "PASS"]
    worst = document["cases"][0]
    assert (worst["base_ns"], worst["head_ns"], worst["rounds"]) == (1_000_000, 1_050_000, 6)
    assert worst["own"]["ratio"] == 1 / 1.05
    assert worst["moved"] == "both"
    assert worst["excluded_slowdown"] is None
    assert worst["unknown"] == {"excluded_slowdown": "a slow-down was seen", "carry_over": "there are no pairs"}


def test_times_are_of_one_item(comparison, compared):
    (case,) = json.loads(dumps(comparison(compared(items_per_call=8))))["cases"]
    assert case["base_ns"] == 125_000


def test_what_was_not_measured_is_null_with_its_reason(comparison, compared):
    found = comparison(compared(Outcome.CRASHED, change=Unknown(reason="it died")))
    (case,) = json.loads(dumps(found))["cases"]
    assert case["own"] is None
    assert case["unknown"]["own"] == case["unknown"]["excluded_slowdown"] == "it died"


def test_an_end_that_nothing_bounds_is_null(comparison, compared):
    alone = Unknown(reason="a mere baseline")
    few = change_of(Times(base_ns=(10,) * 2, head_ns=(11,) * 2), alone, alpha=0.05, tolerance=0.02)
    (case,) = json.loads(dumps(comparison(compared(change=few))))["cases"]
    assert (case["own"]["low_ratio"], case["own"]["high_ratio"]) == (None, None)
    assert case["unknown"]["baseline"] == "a mere baseline"
    assert case["excluded_slowdown"] is None
    assert case["unknown"]["excluded_slowdown"] == "too few rounds to exclude any slow-down"


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.INCONCLUSIVE])
def test_where_no_slow_down_was_seen_it_has_the_smallest_that_would_have_been(comparison, compared, outcome):
    own = Times(base_ns=(1000,) * 6, head_ns=(1010,) * 6)
    made = compared(outcome, change=change_of(own, own, alpha=0.05, tolerance=0.02))
    (case,) = json.loads(dumps(comparison(made)))["cases"]
    assert case["excluded_slowdown"] == pytest.approx(0.01)
    assert case["unknown"] == {"carry_over": "there are no pairs"}


def test_it_has_the_raw_pairs_and_what_the_order_did(comparison, compared):
    pairs = tuple(
        Sample(
            process=0,
            round_index=number,
            baseline_ns=1000,
            candidate_ns=1001,
            baseline_position=number % 2,
            candidate_position=1 - number % 2,
        )
        for number in range(8)
    )
    (case,) = json.loads(dumps(comparison(compared(pairs=pairs, order=order_effect(pairs)))))["cases"]
    assert case["pairs"]["base_position"] == [0, 1] * 4
    assert (case["pairs"]["head_ns"], case["pairs"]["round"]) == ([1001] * 8, list(range(8)))
    assert (case["carry_over"]["baseline_first_pairs"], case["carry_over"]["seen"]) == (4, False)


def test_it_has_seed_and_disturbance_of_each_model(comparison, compared):
    made = comparison(compared())
    (course,) = made.courses
    unknown = replace(course, confirming=True, seed=8, contention=Unknown(reason="not counted"))
    document = json.loads(dumps(replace(made, courses=(course, unknown))))
    first, again = document["models"]
    assert (first["seed"], first["look"], first["others_share"]) == (7, "first", 0.005)
    assert (again["seed"], again["look"], again["others_share"]) == (8, "confirming", None)
    assert again["unknown"]["stolen_share"] == "not counted"
    assert document["cases"][0]["model"] == first["model"]
    assert (document["voided_rounds"], document["disturbed_rounds"]) == (2, 0)
