"""Rises among the points of an environment, and which alerts tell of them; see `judge.alerts`."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import Alert, AlertSource, Direction, change_point_id
from pytest_xeonperf.judge.tracks import LEAST_SLOWDOWN
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_xeonperf.judge.tracks import Step, Track
    from pytest_xeonperf.records import Case

_FURTHER = 0.5


def rises(tracks: Sequence[Track]) -> Iterator[tuple[Track, Step]]:
    """Every step up that is large enough to be told."""
    return ((track, step) for track in tracks for step in track.steps if step.size >= log(1 + LEAST_SLOWDOWN))


def tells_of(track: Track, step: Step, alert: Alert) -> bool:
    """Whether a rise is what an alert tells of.

    An open alert is that of the rise nearest to it where it is at home: there it follows its rise to whatever that
    leads up to. In another environment it cannot, so what leads further there would be told nowhere.
    """
    if not near(track, step, alert):
        return False
    at_home = alert.fingerprint == step.point.fingerprint
    return (alert.state.open and at_home and nearest(track, alert) is step) or not leads_further(step, alert)


def near(track: Track, step: Step, alert: Alert) -> bool:
    """Whether the places may be the same: that of the smaller step is the less certain."""
    place = track.place(alert.since)
    return abs(place - step.place) <= track.near(min(step.size, log(alert.latency_ratio)))


def nearest(track: Track, alert: Alert) -> Step | Unknown:
    """The rise that is nearest to where an alert stands."""
    place = track.place(alert.since)
    found = sorted(
        (step for _, step in rises([track]) if near(track, step, alert)),
        key=lambda step: (abs(step.place - place), step.place),
    )
    return found[0] if found else Unknown(reason="no rise is near")


def leads_further(step: Step, alert: Alert) -> bool:
    """Whether a rise leads up further than an alert tells, by more than half a step of the alert."""
    told = log(alert.latency_ratio)
    at_home = alert.fingerprint == step.point.fingerprint
    further = log(step.left_ns / alert.after_ns) if at_home else log(step.left_ns / step.before_ns) - told
    return further > _FURTHER * told


def leads_less_far(step: Step, alert: Alert) -> bool:
    """Whether a later fall has left so little of a rise that an alert tells of half as much again or more."""
    left = log(step.left_ns / step.before_ns)
    fell = step.left_ns < step.after_ns and left >= log(1 + LEAST_SLOWDOWN)
    return fell and log(alert.after_ns / step.left_ns) > _FURTHER * left


def alert_on(case: Case, comparability_class: str, track: Track, step: Step, *, earlier: int, at: str) -> Alert:
    """A new alert on a rise, of which so many earlier ones tell."""
    return Alert(
        id=change_point_id(case, comparability_class, step.point.run_id, earlier),
        case=case,
        comparability_class=comparability_class,
        source=AlertSource.CHANGE_POINT,
        direction=Direction.SLOWER,
        latency_ratio=step.left_ns / step.before_ns,
        speed=Unknown(reason="a level that changed has no interval"),
        before_ns=round(step.before_ns),
        after_ns=round(step.left_ns),
        run_id=step.point.run_id,
        fingerprint=step.point.fingerprint,
        since=step.point.started_at,
        sha_before=track.points[step.place - 1].sha,
        sha_after=step.point.sha,
        raised_at=at,
    )
