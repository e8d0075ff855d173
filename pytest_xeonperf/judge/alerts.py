"""Which slow-downs of one series are news, which are known, and which are over.

A rise is a change point after which the latency is higher by `LEAST_SLOWDOWN` or more. It raises an alert unless

- it is *over*: a later fall in the same environment has taken three quarters of it back (of the logarithm);
- it is *accepted*: somebody accepted a run after it; where that run is near, its own latency must agree, as the place
  is known only roughly;
- it is *known*: an alert of the same case, class and direction is near. An open alert is that of the rise nearest to
  it, however far up that leads: the first few points on a level tell little of it, and the alert says more when there
  are more. Any other rise leads at most half a step further up than the alert tells (`_FURTHER`): what is beyond that
  is a slow-down of its own, which nobody has seen or decided about.

The place of a change is an estimate and moves as points arrive: by the limit law of its error, with a chance of 99 % by
no more than 19.8 (sigma / step)^2 points, times (1 + r) / (1 - r) for noise whose neighbours are correlated by r. So
that is what near means, and six points at least. A fixed number would either raise the same small change twice or
hide a second large one. Places are counted among the points of one environment, by the time of the runs, so an alert
is found again when its run has left the window that is looked at, and in another environment of the same class, where
levels differ and therefore the steps are compared. A fall between two places that are near would go unseen anyway:
a level that is left again after a few points is an outlier to `changepoint`.

What is known is seen again whatever people have made of it: an alert that was called invalid does not come back as a
new one. An open alert follows its change to a better estimate of its place. One whose latency is back is told so once,
and is fixed then, unless somebody has decided about it before.

Source of the limit law: Yao, "Approximating the distribution of the maximum likelihood estimate of the change-point"
(Annals of Statistics, 1987); Bai, "Estimation of a change point in multiple regression models" (RES, 1997).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import log
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import (
    Alert,
    AlertEvent,
    AlertSource,
    AlertState,
    Direction,
    EventKind,
    change_point_id,
)
from pytest_xeonperf.judge.tracks import tracks_of
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_change

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_xeonperf.alerts import SeriesPoint
    from pytest_xeonperf.judge.tracks import Step, Track
    from pytest_xeonperf.records import Acceptance, Case

LEAST_SLOWDOWN = 0.02
"""Of the latency: what `xeonperf gate` does not mind either, unless it is told otherwise."""

_FURTHER = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """An alert that is there already as it shall be from now on, and what happened to it."""

    alert: Alert
    events: tuple[AlertEvent, ...]

    @property
    def recovered(self) -> bool:
        """Whether its latency is back, which it was not before."""
        return any(event.kind is EventKind.RECOVERED for event in self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one look at a series, or one gate, came to.

    Attributes:
        raised: New alerts.
        seen: Ids of alerts that were there and were seen again.
        followed: Alerts that were there and are no longer what they were.
    """

    raised: tuple[Alert, ...] = ()
    seen: tuple[str, ...] = ()
    followed: tuple[Followed, ...] = ()

    @property
    def news(self) -> bool:
        """Whether anything has to be written down."""
        return bool(self.raised or self.followed)


def findings(
    case: Case,
    comparability_class: str,
    points: Sequence[SeriesPoint],
    known: Sequence[Alert],
    *,
    accepted: Sequence[Acceptance],
    at: str,
) -> Findings:
    """What a series says that its alerts do not.

    Args:
        case: Whose series it is.
        comparability_class: Of the machines.
        points: In any order.
        known: Every alert of that case and class, in any order.
        accepted: What was accepted of that case on that class.
        at: The time now, UTC ISO-8601.
    """
    tracks = tracks_of(points)
    old = sorted((each for each in known if each.source is AlertSource.CHANGE_POINT), key=lambda each: each.id)
    accepted_ids = {each.run_id for each in accepted if each.case.id == case.id}
    raised: list[Alert] = []
    seen: set[str] = set()
    for track, step in sorted(_rises(tracks), key=lambda pair: (pair[1].point.started_at, pair[1].point.run_id)):
        there = (*old, *raised)
        same = {each.id for each in there if _is(track, step, each)}
        seen |= same
        over = track.back_since(step.place, step.before_ns, step.after_ns) or track.accepts(step, accepted_ids)
        if not (same or over):
            earlier = sum(each.run_id == step.point.run_id for each in there)
            raised.append(_alert(case, comparability_class, track, step, earlier=earlier, at=at))
    followed = tuple(_followed(tracks, old, at=at))
    return Findings(raised=tuple(raised), seen=tuple(sorted(seen & {each.id for each in old})), followed=followed)


def _rises(tracks: Sequence[Track]) -> Iterator[tuple[Track, Step]]:
    return ((track, step) for track in tracks for step in track.steps if step.size >= log(1 + LEAST_SLOWDOWN))


def _is(track: Track, step: Step, alert: Alert) -> bool:
    """Whether a rise is what an alert tells of."""
    if not _near(track, step, alert):
        return False
    return (alert.state.open and _nearest(track, alert) is step) or not _leads_further(step, alert)


def _near(track: Track, step: Step, alert: Alert) -> bool:
    """Whether the places may be the same: that of the smaller step is the less certain."""
    place = track.place(alert.since)
    near = track.near(min(step.size, log(alert.latency_ratio)))
    return abs(place - step.place) <= near


def _nearest(track: Track, alert: Alert) -> Step | Unknown:
    """The rise that is nearest to where an alert stands."""
    place = track.place(alert.since)
    rises = sorted(
        (step for _, step in _rises([track]) if _near(track, step, alert)),
        key=lambda step: (abs(step.place - place), step.place),
    )
    return rises[0] if rises else Unknown(reason="no rise is near")


def _leads_further(step: Step, alert: Alert) -> bool:
    told = log(alert.latency_ratio)
    at_home = alert.fingerprint == step.point.fingerprint
    further = log(step.after_ns / alert.after_ns) if at_home else step.size - told
    return further > _FURTHER * told


def _alert(case: Case, comparability_class: str, track: Track, step: Step, *, earlier: int, at: str) -> Alert:
    return Alert(
        id=change_point_id(case, comparability_class, step.point.run_id, earlier),
        case=case,
        comparability_class=comparability_class,
        source=AlertSource.CHANGE_POINT,
        direction=Direction.SLOWER,
        latency_ratio=step.after_ns / step.before_ns,
        speed=Unknown(reason="a level that changed has no interval"),
        before_ns=round(step.before_ns),
        after_ns=round(step.after_ns),
        run_id=step.point.run_id,
        fingerprint=step.point.fingerprint,
        since=step.point.started_at,
        sha_before=track.points[step.place - 1].sha,
        sha_after=step.point.sha,
        raised_at=at,
        state=AlertState.NEW,
        assignee="",
        note="",
        issue_url="",
        recovered_run_id=Unknown(reason="the latency is not back"),
    )


def _followed(tracks: Sequence[Track], known: Sequence[Alert], *, at: str) -> Iterator[Followed]:
    """Open alerts whose change is better known now, and alerts whose latency is back."""
    for track in tracks:
        at_home = [each for each in known if each.fingerprint == track.points[0].fingerprint]
        for alert in at_home:
            events: list[AlertEvent] = []
            now = alert
            if alert.state.open:
                now = _moved(track, alert, at_home)
                if now is not alert:
                    events.append(_event(alert, EventKind.MOVED, _differences(alert, now), at))
            now, changes = _recovered(track, now)
            if changes:
                events.append(_event(alert, EventKind.RECOVERED, changes, at))
            if events:
                yield Followed(alert=now, events=tuple(events))


def _moved(track: Track, alert: Alert, others: Sequence[Alert]) -> Alert:
    """The alert at the rise that it tells of, if that stands elsewhere or leads further now; no other may be nearer."""
    place = track.place(alert.since)
    nearest = _nearest(track, alert)
    if isinstance(nearest, Unknown) or alert.since < track.points[0].started_at:
        return alert
    rivals = (abs(track.place(each.since) - nearest.place) for each in others if each.id != alert.id)
    same = nearest.point.run_id == alert.run_id and not _leads_further(nearest, alert)
    if same or min(rivals, default=_FAR) <= abs(place - nearest.place):
        return alert
    new = _alert(alert.case, alert.comparability_class, track, nearest, earlier=0, at=alert.raised_at)
    return replace(
        alert,
        latency_ratio=new.latency_ratio,
        before_ns=new.before_ns,
        after_ns=new.after_ns,
        run_id=new.run_id,
        since=new.since,
        sha_before=new.sha_before,
        sha_after=new.sha_after,
    )


_FAR = 1 << 30


def _recovered(track: Track, alert: Alert) -> tuple[Alert, tuple[tuple[str, str, str], ...]]:
    """The alert with the run in which the latency was back, which is said once; nobody's decision is overruled."""
    run_id = track.back_since(track.place(alert.since), alert.before_ns, alert.after_ns)
    if not run_id or not isinstance(alert.recovered_run_id, Unknown):
        return alert, ()
    state = AlertState.FIXED if alert.state.open else alert.state
    now = replace(alert, recovered_run_id=run_id, state=state)
    changes = [("back in run", "", run_id)]
    changes += [("state", alert.state.value, state.value)] if state is not alert.state else []
    return now, tuple(changes)


def _differences(before: Alert, after: Alert) -> tuple[tuple[str, str, str], ...]:
    pairs = (
        ("first run", before.run_id, after.run_id),
        ("latency", show_change(before.latency_ratio), show_change(after.latency_ratio)),
    )
    return tuple((name, str(one), str(other)) for name, one, other in pairs if one != other)


def _event(alert: Alert, kind: EventKind, changes: tuple[tuple[str, str, str], ...], at: str) -> AlertEvent:
    return AlertEvent(alert_id=alert.id, kind=kind, by=alert.source.label, at=at, changes=changes, note="")
