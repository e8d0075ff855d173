"""The JSON of a gate: stable names, no figure that JSON has not."""

import json

import pytest

from pytest_xeonperf.exchange.comparison import SCHEMA, dumps
from pytest_xeonperf.judge.change import Times, change_of
from pytest_xeonperf.records import Outcome, Unknown


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
    assert worst["unknown"] == {"excluded_slowdown": "a slow-down was seen"}


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
    assert case["unknown"] == {}
