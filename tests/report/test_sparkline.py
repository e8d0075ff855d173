from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.sparkline import latency_sparkline, sparkline

GAP = Unknown(reason="crashed")
NO_FLOOR = Unknown(reason="none given")
RATIOS = st.floats(min_value=1e-3, max_value=1e6)


def points(line: str) -> list[tuple[float, float]]:
    return [tuple(map(float, point.split(","))) for point in line.split()]


def test_a_higher_speed_up_is_higher_up():
    (line,) = sparkline([2.0, 4.0], NO_FLOOR).lines
    (_, low), (_, high) = points(line)
    assert high < low


def test_a_gap_breaks_the_line():
    assert len(sparkline([2.0, 2.1, GAP, 2.2], NO_FLOOR).lines) == 2


def test_the_floor_is_below_a_series_that_clears_it():
    spark = sparkline([4.0, 4.1], 2.9)
    assert spark.floor_y > spark.last[1]


def test_noise_of_one_per_cent_does_not_fill_the_height():
    (line,) = sparkline([4.0, 4.04], NO_FLOOR).lines
    heights = [y for _, y in points(line)]
    assert max(heights) - min(heights) < sparkline([4.0, 4.04], NO_FLOOR).height / 3


def test_a_series_of_nothing_but_gaps_says_so():
    spark = sparkline([GAP, GAP], 2.0)
    assert spark.lines == ()
    assert isinstance(spark.last, Unknown)
    assert spark.label == "nothing measured"


def test_a_screen_reader_hears_the_range_and_the_newest_value():
    assert sparkline([4.0, 3.0, 3.5], 2.9).label == (
        "speed-up over 3 runs: now 3.50x, between 3.00x and 4.00x, floor 2.90x"
    )


@given(st.lists(RATIOS | st.just(GAP), max_size=50), RATIOS | st.just(NO_FLOOR))
def test_everything_stays_inside_the_picture(ratios, floor):
    spark = sparkline(ratios, floor)
    places = [place for line in spark.lines for place in points(line)]
    assert all(0 <= x <= spark.width and 0 <= y <= spark.height for x, y in places)
    assert sum(len(points(line)) for line in spark.lines) == sum(not isinstance(ratio, Unknown) for ratio in ratios)


def test_a_border_lies_between_the_run_with_the_new_environment_and_the_one_before():
    spark = sparkline([2.0, 2.1, 2.2], NO_FLOOR, borders=[2])
    ((_, before, after),) = (points(line) for line in spark.lines)
    assert before[0] < spark.borders_x[0] < after[0]
    assert spark.label.endswith("; the environment changed once")
    assert sparkline([2.0, 2.1, 2.2], NO_FLOOR, borders=[1, 2]).label.endswith("changed 2 times")


def test_latencies_have_a_sparkline_too_even_if_the_clock_saw_no_time():
    assert latency_sparkline([1_000_000, GAP, 2_000_000]).label == (
        "latency over 2 runs: now 2.00 ms, between 1.00 ms and 2.00 ms"
    )
    assert latency_sparkline([0, 0]).label.endswith("between 0 ns and 0 ns")
