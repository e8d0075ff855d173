"""Floors far below what is reached, run after run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.judge.outgrown import FEWEST_RUNS, Proposal, proposal
from pytest_xeonperf.records import Estimate, Unknown


def point(ratio, floor=2.91):
    return floor, Estimate(ratio=ratio, low_ratio=0.98 * ratio, high_ratio=1.02 * ratio, confidence=0.95)


def test_a_floor_far_below_is_proposed_for_raising_with_room_under_the_lowest():
    found = proposal([point(ratio) for ratio in (4.5, 4.4, 4.6, 4.5, 4.5)])
    assert found == Proposal(floor_ratio=2.91, proposed_ratio=4.09, lowest_ratio=0.98 * 4.4, runs=5)


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ([], "no floor applies"),
        ([point(4.5)] * (FEWEST_RUNS - 1), "4 runs under this floor, 5 are needed"),
        ([point(4.5, floor=2.0)] * 9 + [point(4.5)], "1 run under this floor"),
        ([point(3.0)] * 9, "the floor is near what is reached"),
        ([(Unknown(reason="no floor"), point(4.5)[1])] * 9, "no floor applies"),
        ([(2.91, Unknown(reason="crashed"))] * 9, "no floor applies"),
    ],
)
def test_otherwise_nothing_is_proposed_and_the_reason_given(points, reason):
    found = proposal(points)
    assert isinstance(found, Unknown)
    assert reason in found.reason


def test_one_run_that_came_near_the_floor_keeps_it_where_it_is():
    assert isinstance(proposal([point(4.5)] * 10 + [point(3.1)] + [point(4.5)] * 5), Unknown)


def test_runs_of_long_ago_are_forgotten_and_gaps_passed_over():
    points = [point(3.0), *[point(4.5)] * 12, (2.91, Unknown(reason="crashed")), *[point(4.5)] * 8]
    found = proposal(points)
    assert isinstance(found, Proposal)
    assert found.runs == 20


@given(st.lists(st.floats(1.0, 50.0), min_size=FEWEST_RUNS, max_size=30), st.floats(0.5, 10.0))
def test_a_proposal_would_have_held_in_every_run_it_counts(ratios, floor):
    found = proposal([point(ratio, floor) for ratio in ratios])
    if isinstance(found, Proposal):
        assert found.proposed_ratio < min(point(ratio)[1].low_ratio for ratio in ratios[-found.runs :])
        assert found.proposed_ratio >= 1.1 * floor
