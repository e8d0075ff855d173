"""What a series says that its alerts do not: news once, acceptances respected, recoveries told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_xeonperf.alerts import Alert, AlertSource, AlertState, EventKind, Evidence, SeriesPoint
from pytest_xeonperf.judge.alerts import Findings, findings
from pytest_xeonperf.judge.tracks import LEAST_SLOWDOWN
from pytest_xeonperf.records import Case, Metric, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CASE = Case(
    workload="sam-vit-b",
    phase="encode",
    preset="quick",
    variant="compiled_bf16",
    metric=Metric.LATENCY,
    over="eager_fp32",
)
NOW = "2026-09-30T10:00:00+00:00"


def series(*levels: tuple[int, float], fingerprint: str = "ours", start: int = 0) -> list[SeriesPoint]:
    """(runs, microseconds) pairs in a row, each run a little off its level; a run an hour."""
    points: list[SeriesPoint] = []
    for runs, level_us in levels:
        for _ in range(runs):
            number = start + len(points)
            points.append(
                SeriesPoint(
                    run_id=f"run-{number:04}",
                    started_at=f"2026-09-{1 + number // 24:02}T{number % 24:02}:00:00+00:00",
                    sha=f"{number:040}",
                    fingerprint=fingerprint,
                    median_ns=round(level_us * 1000 * (1 + 0.004 * ((number * 7) % 5 - 2))),
                )
            )
    return points


def look(
    points: list[SeriesPoint],
    known: tuple[Alert, ...] = (),
    accepted: tuple[str, ...] = (),
    fixed_from: Mapping[str, AlertState] = MappingProxyType({}),
) -> Findings:
    """One look; acceptances by the ids of their runs."""
    evidence = Evidence(points=tuple(points), known=known, accepted=frozenset(accepted), fixed_from=fixed_from)
    return findings(CASE, "class", evidence, at=NOW)


def after(found: Findings, known: tuple[Alert, ...]) -> tuple[Alert, ...]:
    """The alerts that are there after a look."""
    changed = {each.alert.id: each.alert for each in found.followed}
    return (*(changed.get(each.id, each) for each in known), *found.raised)


def test_a_slow_down_raises_one_alert_that_says_what_moved_and_between_which_commits() -> None:
    (alert,) = look(series((20, 20_000), (12, 22_000))).raised
    assert alert.latency_ratio == pytest.approx(1.1, abs=0.001)
    assert (alert.run_id, alert.sha_before, alert.sha_after) == ("run-0020", f"{19:040}", f"{20:040}")
    assert (alert.source, alert.state) == (AlertSource.CHANGE_POINT, AlertState.NEW)
    assert alert.after_ns == pytest.approx(22_000_000, rel=0.01)


@pytest.mark.parametrize("levels", [((20, 22_000), (12, 20_000)), ((32, 20_000),), ((20, 20_000), (12, 20_300)), ()])
def test_what_is_faster_steady_or_hardly_slower_raises_nothing(levels: tuple[tuple[int, float], ...]) -> None:
    assert LEAST_SLOWDOWN > 0.015
    assert not look(series(*levels)).news


def test_another_environment_explains_a_new_level() -> None:
    assert not look(series((20, 20_000)) + series((12, 22_000), fingerprint="newer", start=20)).news


@pytest.mark.parametrize("state", AlertState)
def test_what_is_known_is_seen_again_whatever_people_made_of_it(state: AlertState) -> None:
    points = series((20, 20_000), (12, 22_000))
    (alert,) = look(points).raised
    again = look(points, (replace(alert, state=state),))
    assert again == Findings(seen=(alert.id,))


def test_a_second_slow_down_on_top_of_the_first_is_news() -> None:
    known = look(series((20, 20_000), (8, 24_000))).raised
    found = look(series((20, 20_000), (8, 24_000), (12, 30_000)), known)
    assert [each.run_id for each in found.raised] == ["run-0028"]
    assert found.seen == (known[0].id,)


def test_where_two_slow_downs_cannot_be_told_apart_an_open_alert_tells_of_both_and_a_decided_one_of_its_own() -> None:
    (alert,) = look(series((20, 20_000), (5, 22_000))).raised
    points = series((20, 20_000), (5, 22_000), (12, 30_000))
    (followed,) = look(points, (alert,)).followed
    assert look(points, (alert,)).raised == ()
    assert followed.alert.latency_ratio == pytest.approx(1.5, abs=0.02)
    for word in (AlertState.EXPECTED, AlertState.INVALID):
        found = look(points, (replace(alert, state=word),), (alert.run_id,))
        assert [each.latency_ratio for each in found.raised] == [pytest.approx(1.5, abs=0.02)]
        assert found.raised[0].id != alert.id
        assert not look(points, (replace(alert, state=word), *found.raised), (alert.run_id,)).news


def test_a_slow_down_that_comes_back_after_it_was_mended_is_news() -> None:
    points = series((20, 20_000), (8, 24_000), (8, 20_000), (9, 24_000))
    known = look(points[:28]).raised
    known = after(look(points[:36], known), known)
    assert known[0].state is AlertState.FIXED
    assert [each.run_id for each in look(points, known).raised] == ["run-0036"]


def test_a_latency_that_is_back_is_told_once_and_fixed_unless_somebody_has_decided() -> None:
    points = series((20, 20_000), (12, 22_000), (8, 20_000))
    (alert,) = look(points[:32]).raised
    (followed,) = look(points, (alert,)).followed
    assert (followed.alert.state, followed.alert.recovered_run_id) == (AlertState.FIXED, "run-0032")
    assert [event.kind for event in followed.events] == [EventKind.RECOVERED]
    assert ("state", "new", "fixed") in followed.events[0].changes
    reopened = replace(followed.alert, state=AlertState.INVESTIGATING)
    assert not look(points, (reopened,)).news
    (decided,) = look(points, (replace(alert, state=AlertState.INVALID),)).followed
    assert decided.alert.state is AlertState.INVALID
    assert not isinstance(decided.alert.recovered_run_id, Unknown)


def test_a_latency_that_comes_half_the_way_back_is_not_back() -> None:
    points = series((20, 20_000), (12, 22_000), (12, 21_000))
    known = look(points[:32]).raised
    assert look(points, known).followed == ()


def test_what_was_over_before_anybody_looked_raises_nothing() -> None:
    assert not look(series((20, 20_000), (12, 22_000), (12, 20_000))).news


@pytest.mark.parametrize(("run", "raises"), [(25, False), (20, False), (31, False), (18, True), (5, True)])
def test_an_accepted_run_on_the_new_level_covers_it_and_one_before_it_does_not(run: int, raises: bool) -> None:  # noqa: FBT001
    found = look(series((20, 20_000), (12, 22_000)), accepted=(f"run-{run:04}",))
    assert bool(found.raised) is raises


def test_a_run_that_was_accepted_later_covers_what_was_slower_before_it() -> None:
    points = series((20, 20_000), (12, 24_000), (12, 21_000))
    assert look(points).raised
    assert not look(points, accepted=("run-0040",)).news


def test_what_became_slower_after_an_acceptance_is_news() -> None:
    points = series((20, 20_000), (12, 22_000), (12, 24_500))
    assert [each.run_id for each in look(points, accepted=("run-0025",)).raised] == ["run-0032"]


def test_two_environments_that_show_the_same_slow_down_raise_one_alert() -> None:
    ours, theirs = series((20, 20_000), (12, 22_000)), series((20, 30_000), (12, 33_000), fingerprint="theirs")
    both = [
        replace(point, run_id=f"{point.run_id}-{point.fingerprint}", started_at=point.started_at[:14] + minute)
        for pair in zip(ours, theirs, strict=True)
        for point, minute in zip(pair, ("00:00+00:00", "30:00+00:00"), strict=True)
    ]
    found = look(both)
    assert len(found.raised) == 1
    assert not look(both, found.raised).news


def test_an_alert_whose_run_has_left_the_window_is_still_known() -> None:
    points = series((20, 20_000), (30, 22_000))
    known = look(points).raised
    for first in range(10, 22):
        assert look(points[first:], known).raised == ()


def test_an_open_alert_follows_its_change_and_a_decided_one_stays() -> None:
    points = series((20, 20_000), (12, 22_000))
    (alert,) = look(points).raised
    early = replace(alert, run_id="run-0017", since=points[17].started_at, sha_before="b", sha_after="a")
    found = look(points, (early,))
    assert found.raised == ()
    assert found.followed[0].alert == alert
    assert ("first run", "run-0017", "run-0020") in found.followed[0].events[0].changes
    assert not look(points, (alert,)).followed
    assert not look(points, (replace(early, state=AlertState.INVALID),)).news


def noisy(levels: Sequence[float], *, seed: int, sigma: float, fingerprint: str = "ours") -> list[SeriesPoint]:
    """A point a level, each a normal error off it."""
    errors = np.random.default_rng(seed).normal(0, sigma, len(levels))
    flat = series((len(levels), 1.0), fingerprint=fingerprint)
    return [
        replace(point, median_ns=round(20_000_000 * level * (1 + error)))
        for point, level, error in zip(flat, levels, errors, strict=True)
    ]


class Watched:
    """Alerts of a series that is looked at after every run, with what a history knows of who fixed them."""

    def __init__(self) -> None:
        self.known: tuple[Alert, ...] = ()
        self.fixed_from: dict[str, AlertState] = {}
        self.events: list[EventKind] = []

    def look(self, points: list[SeriesPoint]) -> Findings:
        found = look(points[-300:], self.known, fixed_from=self.fixed_from)
        before = {each.id: each.state for each in self.known}
        self.known = after(found, self.known)
        for each in found.followed:
            self.events += [event.kind for event in each.events]
            self.fixed_from.pop(each.alert.id, None)
            if each.recovered and each.alert.state is not before[each.alert.id]:
                self.fixed_from[each.alert.id] = before[each.alert.id]
        return found

    def grow(self, points: list[SeriesPoint], start: int = 0) -> None:
        for length in range(start, len(points) + 1):
            self.look(points[:length])


@pytest.mark.parametrize("later", [108, 112])
@pytest.mark.parametrize("seed", range(3))
def test_a_small_open_alert_of_one_environment_does_not_hide_a_large_rise_in_another(later: int, seed: int) -> None:
    levels = [
        (1.03 if number >= 100 else 1.0) if number % 2 == 0 else (1.3 if number >= later else 1.0)
        for number in range(160)
    ]
    points = [
        replace(point, fingerprint="theirs" if number % 2 else "ours")
        for number, point in enumerate(noisy(levels, seed=seed, sigma=0.003))
    ]
    watched = Watched()
    watched.grow(points, start=100)
    told = sorted((each.fingerprint, round(each.latency_ratio, 2)) for each in watched.known)
    assert told == [("ours", 1.03), ("theirs", 1.3)]


@pytest.mark.parametrize("seed", [3, 9, 12])
def test_a_few_fast_runs_do_not_end_an_alert_for_good(seed: int) -> None:
    points = noisy([1.0] * 50 + [1.05] * 40 + [1.0] * 5 + [1.05] * 110, seed=seed, sigma=0.01)
    watched = Watched()
    watched.grow(points, start=50)
    assert [each for each in watched.known if each.state.open]


def test_what_a_look_called_fixed_is_open_again_as_before_when_nothing_bears_it_out() -> None:
    points = series((50, 20_000), (40, 21_000))
    (alert,) = look(points).raised
    fixed = replace(alert, state=AlertState.FIXED, recovered_run_id="run-0080")
    assert not look(points, (fixed,)).news  # somebody has called it fixed
    (followed,) = look(points, (fixed,), fixed_from={alert.id: AlertState.INVESTIGATING}).followed
    assert followed.reopened
    assert followed.alert == replace(alert, state=AlertState.INVESTIGATING)
    assert followed.events[0].changes == (("back in run", "run-0080", ""), ("state", "fixed", "investigating"))
    assert not look(points, (followed.alert,)).news
    assert not look(points, (fixed,), ("run-0080",), {alert.id: AlertState.NEW}).news
    later = replace(alert, id="later", run_id="run-0085", since=points[85].started_at)
    again = look(points, (fixed, later), fixed_from={alert.id: AlertState.NEW})
    assert not any(each.reopened for each in again.followed)


@pytest.mark.parametrize("seed", range(10))
def test_an_alert_on_a_blip_is_over_when_the_level_is_the_old_one(seed: int) -> None:
    watched = Watched()
    watched.grow(noisy([1.0] * 50 + [1.06] * 3 + [1.0] * 80, seed=seed, sigma=0.01), start=50)
    assert not [each for each in watched.known if each.state.open]


def test_an_alert_that_the_series_does_not_show_is_over_once_there_are_enough_fast_runs() -> None:
    points = series((20, 20_000), (3, 21_500))
    (alert,) = look(series((20, 20_000), (6, 21_500))).raised
    early = points + series((3, 20_000), start=23)
    assert not any(each.recovered for each in look(early[:25], (alert,)).followed)
    (followed,) = look(points + series((9, 20_000), start=23), (alert,)).followed
    assert (followed.alert.state, followed.alert.recovered_run_id) == (AlertState.FIXED, "run-0023")


@pytest.mark.parametrize("watching", [True, False])
def test_what_is_left_of_a_slow_down_is_told_and_stays_open(watching: bool) -> None:  # noqa: FBT001
    points = noisy([1.0] * 60 + [1.8] * 20 + [1.15] * 80, seed=1, sigma=0.005)
    watched = Watched()
    watched.grow(points, start=60 if watching else len(points))
    (alert,) = watched.known
    assert alert.state is AlertState.NEW
    assert alert.latency_ratio == pytest.approx(1.15, abs=0.01)
    assert EventKind.RECOVERED not in watched.events
    assert not watching or EventKind.MOVED in watched.events
    decided = replace(alert, state=AlertState.INVALID)
    assert not look(points, (decided,)).news
    watched.look(points + series((12, 20_000), start=160))
    assert watched.known[0].state is AlertState.FIXED


LEVELS = st.lists(
    st.tuples(st.integers(6, 18), st.sampled_from([20_000, 21_500, 23_000, 26_000, 30_000])), min_size=1, max_size=4
).filter(lambda levels: all(one[1] != other[1] for one, other in pairwise(levels)))


@given(LEVELS)
def test_looking_again_finds_nothing_new(levels: list[tuple[int, float]]) -> None:
    points = series(*levels)
    found = look(points)
    known = after(found, ())
    second = look(points, known)
    assert second.raised == ()
    assert not look(points, after(second, known)).news


@settings(max_examples=30)
@given(LEVELS)
def test_a_series_that_grows_raises_each_slow_down_at_most_once(levels: list[tuple[int, float]]) -> None:
    points = series(*levels)
    known: tuple[Alert, ...] = ()
    raised = 0
    for length in range(len(points) + 1):
        found = look(points[:length], known)
        raised += len(found.raised)
        known = after(found, known)
    assert raised <= sum(later > earlier for (_, earlier), (_, later) in pairwise(levels))
    assert len({each.id for each in known}) == len(known)


@given(LEVELS, st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_told_makes_no_difference(levels: list[tuple[int, float]], random) -> None:
    points = series(*levels)
    known = list(look(points[: len(points) * 3 // 4]).raised)
    expected = look(points, tuple(known))
    random.shuffle(points)
    random.shuffle(known)
    assert look(points, tuple(known)) == expected
