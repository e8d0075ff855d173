"""Which slow-downs of one series are news, which are known, and which are over.

A rise is a change point after which the latency is higher by `LEAST_SLOWDOWN` or more. It raises an alert unless

- it is *over*: a later fall in the same environment has taken three quarters of it back (of the logarithm), and what
  is left is no slow-down of its own: below `LEAST_SLOWDOWN`, or within what one measurement scatters. If more is left,
  that is what the alert tells;
- it is *accepted*: somebody accepted a run after it; where that run is near, its own latency must agree, as the place
  is known only roughly;
- it is *known*: an alert of the same case, class and direction is near. An open alert is that of the rise nearest to
  it in its own environment, however far up that leads: the first few points on a level tell little of it, and the
  alert says more when there are more. Any other rise leads at most half a step further up than the alert tells: what
  is beyond that is a slow-down of its own, which nobody has seen or decided about.

The place of a change is an estimate and moves as points arrive: by the limit law of its error, with a chance of 99 % by
no more than 19.8 (sigma / step)^2 points, times (1 + r) / (1 - r) for noise whose neighbours are correlated by r. So
that is what near means, and six points at least. A fixed number would either raise the same small change twice or
hide a second large one. Places are counted among the points of one environment, by the time of the runs, so an alert
is found again when its run has left the window that is looked at, and in another environment of the same class, where
levels differ and therefore the steps are compared. A fall between two places that are near would go unseen anyway:
a level that is left again after a few points is an outlier to `changepoint`.

What is known is seen again whatever people have made of it: an alert that was called invalid does not come back as a
new one. An open alert follows its change to a better estimate of its place, and to what a fall has left of it. One
whose latency is back is told so once, and is fixed then, unless somebody has decided about it before: after a fall, or
where no rise is near any more and the level is the old one, as after a few slow runs that turned out to be outliers.
A fall may turn out to be outliers too: what a look has called fixed is open again if its rise stands and nothing takes
it back.

Source of the limit law: Yao, "Approximating the distribution of the maximum likelihood estimate of the change-point"
(Annals of Statistics, 1987); Bai, "Estimation of a change point in multiple regression models" (RES, 1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import AlertSource
from pytest_xeonperf.judge.following import followed
from pytest_xeonperf.judge.rises import alert_on, rises, tells_of
from pytest_xeonperf.judge.tracks import tracks_of

if TYPE_CHECKING:
    from pytest_xeonperf.alerts import Alert, Evidence
    from pytest_xeonperf.judge.following import Followed
    from pytest_xeonperf.records import Case


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


def findings(case: Case, comparability_class: str, evidence: Evidence, *, at: str) -> Findings:
    """What a series says that its alerts do not.

    Args:
        case: Whose series it is.
        comparability_class: Of the machines.
        evidence: The series and its alerts; the order of neither matters.
        at: The time now, UTC ISO-8601.
    """
    tracks = tracks_of(evidence.points)
    old = sorted((each for each in evidence.known if each.source is AlertSource.CHANGE_POINT), key=lambda each: each.id)
    raised: list[Alert] = []
    seen: set[str] = set()
    for track, step in sorted(rises(tracks), key=lambda pair: (pair[1].point.started_at, pair[1].point.run_id)):
        there = (*old, *raised)
        same = {each.id for each in there if tells_of(track, step, each)}
        seen |= same
        over = track.back_since(step.place, step.before_ns, step.after_ns) or track.accepts(step, evidence.accepted)
        if not (same or over):
            earlier = sum(each.run_id == step.point.run_id for each in there)
            raised.append(alert_on(case, comparability_class, track, step, earlier=earlier, at=at))
    return Findings(
        raised=tuple(raised),
        seen=tuple(sorted(seen & {each.id for each in old})),
        followed=tuple(followed(tracks, old, evidence, at=at)),
    )
