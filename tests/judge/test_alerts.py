"""What a series says that its alerts do not: news once, acceptances respected, recoveries told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_xeonperf.alerts import Alert, AlertSource, AlertState, EventKind, SeriesPoint
from pytest_xeonperf.judge.alerts import LEAST_SLOWDOWN, Findings, findings
from pytest_xeonperf.records import Acceptance, Case, Metric, Unknown

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


def look(points: list[SeriesPoint], known: tuple[Alert, ...] = (), accepted: tuple[str, ...] = ()) -> Findings:
    """One look; acceptances by the ids of their runs."""
    words = [
        Acceptance(case=CASE, run_id=run_id, accepted_at=NOW, accepted_by="Ann", reason="so") for run_id in accepted
    ]
    return findings(CASE, "class", points, known, accepted=words, at=NOW)


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
