"""What becomes of alerts that are there: they follow their rise, are fixed when it is over, and open again if not.

See `judge.alerts`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import Alert, AlertEvent, AlertState, EventKind
from pytest_xeonperf.judge.rises import alert_on, leads_further, leads_less_far, nearest
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_change

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pytest_xeonperf.alerts import Evidence
    from pytest_xeonperf.judge.tracks import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """An alert that is there already as it shall be from now on, and what happened to it."""

    alert: Alert
    events: tuple[AlertEvent, ...]

    @property
    def recovered(self) -> bool:
        """Whether its latency is back, which it was not before."""
        return any(event.kind is EventKind.RECOVERED for event in self.events)

    @property
    def reopened(self) -> bool:
        """Whether it was said to be back, and is not."""
        return any(event.kind is EventKind.REOPENED for event in self.events)


def followed(tracks: Sequence[Track], known: Sequence[Alert], evidence: Evidence, *, at: str) -> Iterator[Followed]:
    """Alerts of change points that are no longer what they were, each looked at where it is at home."""
    for track in tracks:
        at_home = [each for each in known if each.fingerprint == track.points[0].fingerprint]
        for alert in at_home:
            now, events = alert, []
            if alert.id in evidence.fixed_from and _is_not_over(track, alert, at_home, evidence.accepted):
                now = _reopened(alert, evidence.fixed_from[alert.id])
                events.append(_event(alert, EventKind.REOPENED, _reopening(alert, now), at))
            if now.state.open:
                before, now = now, _moved(track, now, at_home)
                if now is not before:
                    events.append(_event(alert, EventKind.MOVED, _differences(before, now), at))
            now, changes = _recovered(track, now)
            if changes:
                events.append(_event(alert, EventKind.RECOVERED, changes, at))
            if events:
                yield Followed(alert=now, events=tuple(events))


def _is_not_over(track: Track, alert: Alert, others: Sequence[Alert], accepted_ids: Collection[str]) -> bool:
    """Whether a recovery that nobody but a look at the series has told is not borne out by it any more.

    What an open alert on a later run tells already, and what was accepted meanwhile, is not told again.
    """
    rise = nearest(track, alert)
    if isinstance(rise, Unknown) or alert.since < track.points[0].started_at or _back(track, alert):
        return False
    later = any(each.state.open and each.since > alert.since for each in others)
    return not later and not track.accepts(rise, accepted_ids)


def _back(track: Track, alert: Alert) -> str:
    """The run since which the latency of an alert is back; empty if it is not."""
    place = track.place(alert.since)
    found = track.back_since(place, alert.before_ns, alert.after_ns)
    in_view = alert.since >= track.points[0].started_at
    if found or not in_view or not isinstance(nearest(track, alert), Unknown):
        return found
    return track.quiet_since(place, alert.before_ns, alert.after_ns)


def _reopened(alert: Alert, state: AlertState) -> Alert:
    return replace(alert, state=state, recovered_run_id=Unknown(reason="the latency is not back"))


def _reopening(before: Alert, after: Alert) -> tuple[tuple[str, str, str], ...]:
    return (("back in run", str(before.recovered_run_id), ""), ("state", before.state.value, after.state.value))


def _moved(track: Track, alert: Alert, others: Sequence[Alert]) -> Alert:
    """The alert at the rise that it tells of, where that stands now or with what is left of it; no other is nearer."""
    place = track.place(alert.since)
    rise = nearest(track, alert)
    if isinstance(rise, Unknown) or alert.since < track.points[0].started_at or _back(track, alert):
        return alert
    rivals = (abs(track.place(each.since) - rise.place) for each in others if each.id != alert.id)
    as_told = not (leads_further(rise, alert) or leads_less_far(rise, alert))
    if (rise.point.run_id == alert.run_id and as_told) or min(rivals, default=_FAR) <= abs(place - rise.place):
        return alert
    new = alert_on(alert.case, alert.comparability_class, track, rise, earlier=0, at=alert.raised_at)
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
    run_id = _back(track, alert) if isinstance(alert.recovered_run_id, Unknown) else ""
    if not run_id:
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
