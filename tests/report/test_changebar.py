"""Bars of changes: on one scale, inside the picture, with what they show in words."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate, Unknown
from pytest_xeonperf.report.changebar import WIDTH, change_bars


def estimate(ratio, low, high):
    return Estimate(ratio=ratio, low_ratio=low, high_ratio=high, confidence=0.95)


def test_what_is_slower_lies_right_of_no_change_and_is_said():
    bar, same = change_bars([estimate(1.10, 1.06, 1.15), estimate(1.0, 0.99, 1.01)], 0.02)
    assert bar.tolerance[0] < bar.zero_x < bar.tolerance[1] < bar.interval[0] < bar.at_x < bar.interval[1]
    assert bar.label == "+10.0 %, interval from +6.0 % to +15.0 %"
    assert same.at_x == same.zero_x == bar.zero_x == WIDTH / 2
    assert same.interval[1] - same.interval[0] < bar.interval[1] - bar.interval[0]


def test_an_end_that_nothing_bounds_is_the_edge():
    (bar,) = change_bars([estimate(1.0, 0.0, UNBOUNDED_RATIO)], 0.02)
    assert bar.interval[0] < 10
    assert bar.interval[1] > WIDTH - 10
    assert bar.label.endswith("from nowhere to nowhere")


def test_what_is_not_known_stays_so():
    nothing = Unknown(reason="other machine")
    assert change_bars([nothing], 0.02) == (nothing,)


@given(st.lists(st.tuples(*[st.floats(1e-6, 1e6)] * 3), max_size=8), st.floats(0.001, 0.5))
def test_every_bar_lies_in_its_picture(ratios, tolerance):
    for bar in change_bars([estimate(*sorted(each)[1:2], *sorted(each)[::2]) for each in ratios], tolerance):
        assert 0 <= bar.interval[0] <= bar.at_x <= bar.interval[1] <= WIDTH
        assert 0 <= bar.tolerance[0] <= bar.zero_x <= bar.tolerance[1] <= WIDTH
