"""Which side moved."""

import pytest

from pytest_xeonperf.judge.meanwhile import Part, meanwhile
from pytest_xeonperf.records import Unknown


@pytest.mark.parametrize(
    ("since", "latency_ratio", "part"),
    [
        (100, 1.1, Part.NONE),
        (101, 1.1, Part.NONE),
        (103, 1.1, Part.SOME),
        (110, 1.1, Part.MOST),
        (130, 1.1, Part.MOST),
        (80, 1.1, Part.NONE),
        (110, 1.0, Part.NONE),
    ],
)
def test_the_baseline_had_none_some_or_most_of_the_change(since, latency_ratio, part):
    found = meanwhile([90, 100, 180], [since] * 4, latency_ratio=latency_ratio)
    assert found.part is part
    assert found.baseline_ratio == since / 100
    assert (found.runs_before, found.runs_since) == (3, 4)


@pytest.mark.parametrize(("before", "since", "side"), [([], [1], "before"), ([1], [], "since"), ([], [], "before")])
def test_without_runs_on_both_sides_nobody_knows(before, since, side):
    assert meanwhile(before, since, latency_ratio=1.1) == Unknown(reason=f"no run {side} measured its baseline")
