"""Changes of level are found where they are; noise, outliers and other environments are none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.changepoint import (
    ALPHA,
    appended,
    change_points,
    noise_of,
    within_environments,
)


def series(*levels, sigma=0.01, seed=0, correlation=0.0):
    """(points, level) pairs in a row, with noise."""
    rng = np.random.default_rng(seed)
    means = np.concatenate([np.full(points, np.log(level)) for points, level in levels])
    noise = rng.normal(0, sigma * np.sqrt(1 - correlation**2), len(means))
    for at in range(1, len(noise)):
        noise[at] += correlation * noise[at - 1]
    return [float(value) for value in np.exp(means + noise)]


def places(values):
    return [point.index for point in change_points(values)]


def near(found, *expected, within=2):
    return len(found) == len(expected) and all(abs(a - b) <= within for a, b in zip(found, expected, strict=True))


def test_a_step_is_found_where_it_is_with_its_size():
    (point,) = change_points(series((60, 100), (60, 105)))
    assert abs(point.index - 60) <= 2
    assert point.ratio == pytest.approx(1.05, abs=0.005)
    assert (point.before, point.after) == (pytest.approx(100, abs=0.5), pytest.approx(105, abs=0.5))


def test_a_step_and_its_mending_are_two():
    assert near(places(series((50, 100), (12, 106), (50, 100))), 50, 62)


def test_a_staircase_is_found_step_by_step():
    assert near(places(series((40, 100), (40, 104), (40, 108), (40, 104))), 40, 80, 120)


def test_a_step_in_the_last_points_is_found():
    assert near(places(series((80, 100), (4, 110))), 80)


@pytest.mark.parametrize("odd", [1, 2])
def test_one_or_two_odd_points_are_no_change(odd):
    values = series((100, 100))
    for at in range(40, 40 + odd):
        values[at] *= 1.5
    assert places(values) == []


def test_a_series_without_noise_changes_where_it_changes():
    assert places([100.0] * 10 + [101.0] * 10) == [10]
    assert places([100.0] * 20) == []
    assert near(places([100.0] * 50 + [100.5] + [110.0] * 50), 50, within=1)


@pytest.mark.parametrize("length", range(6))
def test_a_few_points_have_no_change(length):
    assert change_points([1.0, 2.0, 1.0, 2.0, 1.0, 2.0][:length]) == ()


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_figures_that_are_none_are_refused(bad):
    with pytest.raises(DataError, match="a series holds finite, positive figures"):
        change_points([1.0] * 10 + [bad])


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
def test_on_a_series_without_a_change_an_alarm_is_as_rare_as_promised(correlation):
    alarms = sum(bool(places(series((120, 100), seed=seed, correlation=correlation))) for seed in range(300))
    assert alarms <= 300 * ALPHA + 3.3 * (300 * ALPHA) ** 0.5  # the promise, and what luck may add


def test_scale_and_correlation_are_seen_through_changes_of_level():
    noise = noise_of(np.log(series((500, 100), (500, 150), (500, 90), correlation=0.5)))
    assert noise.sigma == pytest.approx(0.01, rel=0.15)
    assert noise.correlation == pytest.approx(0.5, abs=0.12)


def test_another_environment_is_no_change_and_splits_the_series():
    values = series((50, 100), (50, 120), (50, 126))
    environments = ["torch 2.12"] * 50 + ["torch 2.13"] * 100
    assert near([point.index for point in within_environments(values, environments)], 100)


def test_environments_that_alternate_are_series_of_their_own():
    ours, theirs = series((60, 100), (60, 105)), series((120, 200), seed=1)
    values = [value for pair in zip(ours, theirs, strict=True) for value in pair]
    found = within_environments(values, ["ours", "theirs"] * 120)
    assert near([point.index for point in found], 120, within=4)


def test_what_a_value_brings_is_what_the_whole_series_says():
    values = series((60, 100), (40, 106), (40, 100))
    known = ()
    for length in range(1, len(values) + 1):
        known = appended(values[:length], known)
        assert known == change_points(values[:length])


def test_in_a_long_series_only_the_tail_is_looked_at_again():
    values = series((1500, 100), (1500, 110), (600, 100), (20, 110))
    known = change_points(values[:-1])
    assert near([point.index for point in appended(values, known)], 1500, 3000, 3600)


@given(st.lists(st.floats(0.001, 1000), max_size=60))
def test_whatever_the_series_its_change_points_are_within_it_in_order(values):
    found = places(values)
    assert found == sorted(set(found))
    assert all(0 < index < len(values) for index in found)


@pytest.mark.parametrize("unit", [1e-9, 0.3, 1e6])
def test_the_unit_makes_no_difference(unit):
    values = series((50, 100), (30, 104), (50, 100))
    assert places(values) == places([value * unit for value in values])
