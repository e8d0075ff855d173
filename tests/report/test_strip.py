from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate, Sample, Unknown
from pytest_xeonperf.report.strip import strip, ticks

TIMES = st.integers(min_value=1, max_value=10**13)
SAMPLES = st.builds(
    Sample,
    round_index=st.integers(0, 100),
    baseline_ns=TIMES,
    candidate_ns=TIMES,
    baseline_position=st.just(0),
    candidate_position=st.just(1),
)
RATIOS = st.floats(min_value=1e-3, max_value=1e4)
NO_FLOOR = Unknown(reason="none given")


def test_dots_right_of_the_floor_line_are_faster_than_the_floor(make):
    measurement = make.measurement(ratio=3.0)
    plot = strip(measurement.samples, measurement.speedup, 2.9)
    assert len(plot.dots) == len(measurement.samples)
    assert all(x > plot.floor.x for x, _ in plot.dots)
    assert plot.floor.text == "floor 2.90x"


def test_time_runs_down(make):
    measurement = make.measurement()
    heights = [y for _, y in strip(measurement.samples, measurement.speedup, NO_FLOOR).dots]
    assert heights == sorted(heights)


def test_the_median_lies_inside_its_interval(make):
    measurement = make.measurement()
    plot = strip(measurement.samples, measurement.speedup, 2.9)
    assert plot.interval[0] < plot.median_x < plot.interval[1]


def test_an_unbounded_interval_ends_with_the_plot_and_squeezes_nothing(make):
    measurement = make.measurement()
    unbounded = Estimate(ratio=3.95, low_ratio=0.0, high_ratio=UNBOUNDED_RATIO, confidence=0.95)
    plot = strip(measurement.samples, unbounded, NO_FLOOR)
    xs = [x for x, _ in plot.dots]
    assert plot.interval[0] < min(xs)
    assert max(xs) < plot.interval[1] < plot.width
    assert max(xs) - min(xs) > 50


@given(st.lists(SAMPLES, max_size=30), RATIOS, RATIOS | st.just(NO_FLOOR))
def test_everything_stays_inside_the_picture(samples, ratio, floor):
    speedup = Estimate(ratio=ratio, low_ratio=ratio / 2, high_ratio=ratio * 2, confidence=0.9)
    plot = strip(samples, speedup, floor)
    assert all(0 <= x <= plot.width and plot.top <= y <= plot.bottom for x, y in plot.dots)
    assert all(0 <= tick.x <= plot.width for tick in plot.ticks)
    assert 0 <= plot.interval[0] <= plot.interval[1] <= plot.width


@given(st.floats(min_value=1e-3, max_value=1e4), st.floats(min_value=1e-2, max_value=1e3))
def test_ticks_are_few_and_no_two_say_the_same(low, span):
    shown = ticks(low, low + span)
    assert 1 <= len(shown) <= 8
    assert len({text for _, text in shown}) == len(shown)


def test_ticks_have_the_decimals_that_their_step_needs():
    assert [text for _, text in ticks(3.0, 3.5)] == ["3.0x", "3.1x", "3.2x", "3.3x", "3.4x", "3.5x"]


def test_figures_that_no_axis_holds_stand_at_its_edge(make):
    huge = Estimate(ratio=1e308, low_ratio=1e308, high_ratio=1.7e308, confidence=0.95)
    plot = strip(make.measurement(ratio=3.0).samples, huge, 1.7e308)
    assert all(0 <= x <= plot.width for x in (plot.median_x, *plot.interval, plot.floor.x))
