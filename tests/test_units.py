import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf import units
from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate


@pytest.mark.parametrize(
    ("duration_ns", "shown"),
    [(0, "0 ns"), (999, "999 ns"), (1_000, "1.00 us"), (12_345_678, "12.3 ms"), (999_000_000, "999 ms"),
     (1_500_000_000, "1.50 s"), (123_000_000_000, "123 s")],
)  # fmt: skip
def test_durations_have_three_figures_and_the_unit_that_suits(duration_ns, shown):
    assert units.show_ns(duration_ns) == shown


@pytest.mark.parametrize(
    ("duration_s", "shown"), [(5, "under a minute"), (60, "1 min"), (59 * 60, "59 min"), (65 * 60, "1 h 05 min")]
)
def test_plans_are_in_minutes(duration_s, shown):
    assert units.show_minutes(duration_s) == shown


@pytest.mark.parametrize(
    ("size_bytes", "shown"), [(12, "12 B"), (2048, "2.00 KiB"), (3 << 20, "3.00 MiB"), (25 << 30, "25.0 GiB")]
)
def test_sizes_are_binary(size_bytes, shown):
    assert units.show_bytes(size_bytes) == shown


@given(st.floats(0, 1e18))
def test_whatever_is_shown_is_short_and_has_no_exponent(value):
    for show in (units.show_ns, units.show_bytes):
        assert "e" not in show(value).replace("e+", "e")
        assert len(show(value)) < 24


def test_an_end_that_nothing_bounds_is_an_ellipsis():
    bounded = Estimate(ratio=3.951, low_ratio=3.9, high_ratio=4.01, confidence=0.95)
    assert units.show_estimate(bounded) == "3.95x [3.90, 4.01]"
    assert units.show_interval(bounded) == "[3.90, 4.01]"
    unbounded = Estimate(ratio=2.0, low_ratio=0.0, high_ratio=UNBOUNDED_RATIO, confidence=0.95)
    assert units.show_estimate(unbounded) == "2.00x […, …]"


@pytest.mark.parametrize(("ratio", "shown"), [(1.042, "+4.2 %"), (0.9, "−10.0 %"), (1.0, "±0.0 %"), (1.0004, "±0.0 %")])  # noqa: RUF001
def test_a_change_has_its_sign(ratio, shown):
    assert units.show_change(ratio) == shown


@pytest.mark.parametrize(
    ("ratio", "time", "pace"),
    [
        (1.118, "11.8 % more time", "11.8 % slower"),
        (0.9, "10.0 % less time", "10.0 % faster"),
        (2.0, "100.0 % more time", "100.0 % slower"),
    ],
)
def test_a_factor_of_the_latency_is_told_in_words(ratio, time, pace):
    assert units.show_more_time(ratio) == time
    assert units.show_slower(ratio) == pace


def test_a_day_is_that_of_utc():
    assert units.show_day("2026-05-12T23:30:00-02:00") == "2026-05-13"


@pytest.mark.parametrize(
    ("duration_ns", "shown"),
    [(1_200_000.0, "+1.20 ms"), (-400.0, "−400 ns"), (0.0, "±0 ns")],  # noqa: RUF001
)
def test_a_difference_of_times_has_its_sign(duration_ns, shown):
    assert units.show_difference_ns(duration_ns) == shown


@pytest.mark.parametrize(("smallest", "shown"), [(0.041, "4.1 %"), (0.0411, "4.2 %"), (1e-4, "0.1 %"), (0.0, "any")])
def test_the_smallest_of_some_slow_downs_is_never_shown_as_less_than_it_is(smallest, shown):
    assert units.show_slowdown(smallest) == shown


def test_rates_have_decimal_prefixes():
    assert units.show_rate(2.1e10, "B/s") == "21.0 GB/s"
    assert units.show_rate(4.2e12, "FLOP/s") == "4.20 TFLOP/s"
    assert units.show_rate(7, "B/s") == "7.00 B/s"


def test_a_score_shows_what_tells_a_good_one_from_a_very_good_one():
    assert units.show_score(0.99997) != units.show_score(0.99991)


def test_shares_and_ratios_and_times():
    assert units.show_share(0.714) == "71 %"
    assert units.show_share(-0.09) == "−9 %"  # noqa: RUF001
    assert units.show_ratio(3.9) == "3.90x"
    assert units.show_time("2026-05-12T16:03:59+02:00") == "2026-05-12 14:03"


@pytest.mark.parametrize(("longest_ns", "scale"), [(5, (1, "ns")), (5_000_000, (1_000_000, "ms"))])
def test_an_axis_has_the_unit_of_its_longest_time(longest_ns, scale):
    assert units.time_scale(longest_ns) == scale


@pytest.mark.parametrize(("chance", "shown"), [(1.0, "1"), (0.6249, "0.62"), (0.0304, "0.03"), (0.00012, "0.00012")])
def test_chances_keep_the_digits_that_matter(chance, shown):
    assert units.show_chance(chance) == shown
