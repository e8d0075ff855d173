"""What the history knows around an alert: the runs on either side, their commits, the machine, and what explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.meanwhile import meanwhile
from pytest_xeonperf.judge.tracks import LEAST_SLOWDOWN
from pytest_xeonperf.records import TIMED_ALONE, Measurement, Unknown
from pytest_xeonperf.report.environment import machine_line
from pytest_xeonperf.report.why import why_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.judge.meanwhile import Meanwhile
    from pytest_xeonperf.report.why import Why
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import CommitSummary, MachineSummary, TrendPoint

_LEVEL = 10
"""Runs on either side that tell a level."""

_LOOKED_AT = 3 * _LEVEL
"""Runs among which those are: others are of other branches and environments."""

_SIDE_BY_SIDE = Unknown(
    reason="a gate measured both commits in the same rounds, so it is not the machine; it keeps no runs"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """All that an alert's page says beside the alert; two of the same `repr` make the same page.

    Attributes:
        fast_run: The last run of the case at its old level: (id, when it started); or why there is none.
        commits: By sha, those of the two that the history knows.
        machine: What runs of the alert's class were measured on.
        in_trend: Whether the trend of the case has a chart for the class.
        side: What the baseline did meanwhile.
    """

    fast_run: tuple[str, str] | Unknown
    commits: Mapping[str, CommitSummary]
    machine: str | Unknown
    in_trend: bool
    side: Meanwhile | Unknown

    @classmethod
    def of(cls, store: Store, alert: Alert, machines: Mapping[str, str]) -> Surroundings:
        """What the history knows around an alert.

        Args:
            store: The history.
            alert: The alert.
            machines: As `machine_lines` gives them.
        """
        case, machine = alert.case.id, alert.comparability_class
        before = store.trend(case, comparability_class=machine, limit=_LOOKED_AT, before=alert.since)
        since = store.since(case, comparability_class=machine, limit=_LOOKED_AT, since=alert.since)
        fast, slow = _levels(alert, before, since)
        shas = [sha for sha in (alert.sha_before, alert.sha_after) if not isinstance(sha, Unknown)]
        return cls(
            fast_run=_fast_run(alert, fast),
            commits=dict(sorted(store.commits(shas).items())),
            machine=machines.get(machine, Unknown(reason="no run of this class is in the history")),
            in_trend=bool(before or since),
            side=_side(alert, fast, slow),
        )


def machine_lines(machines: Iterable[MachineSummary]) -> dict[str, str]:
    """By class, what its newest run was measured on; of machines as the store gives them."""
    lines: dict[str, str] = {}
    for each in machines:
        lines.setdefault(each.machine.comparability_class, machine_line(each.machine))
    return lines


def why_of_alert(store: Store, alert: Alert, fast_run: tuple[str, str] | Unknown) -> Why | Unknown:
    """What explains the change, between the last fast run and the first slow one; why nothing is known of that."""
    if isinstance(alert.run_id, Unknown):
        return _SIDE_BY_SIDE
    if alert.case.alone:
        return Unknown(reason="of what is timed alone no operators are kept")
    if isinstance(fast_run, Unknown):
        return fast_run
    before, after = (_measured(store, run_id, alert) for run_id in (fast_run[0], alert.run_id))
    if isinstance(before, Unknown):
        return before
    return after if isinstance(after, Unknown) else why_between(before, after, tolerance=LEAST_SLOWDOWN)


def _levels(
    alert: Alert, before: Sequence[TrendPoint], since: Sequence[TrendPoint]
) -> tuple[list[TrendPoint], list[TrendPoint]]:
    """The measured points that tell the two levels: of the alert's environment, and of the branch of its run."""
    of_run = [point for point in since if point.run_id == alert.run_id]

    def alike(points: Sequence[TrendPoint]) -> list[TrendPoint]:
        return [
            point
            for point in points
            if not point.gap
            and (isinstance(alert.fingerprint, Unknown) or point.fingerprint == alert.fingerprint)
            and (not of_run or point.branch == of_run[0].branch)
        ]

    fast = [point for point in alike(before) if point.run_id != alert.run_id]
    return fast[-_LEVEL:], alike(since)[:_LEVEL]


def _fast_run(alert: Alert, fast: Sequence[TrendPoint]) -> tuple[str, str] | Unknown:
    """The last run at the old level; of the commit that the alert names, if it is among those."""
    of_commit = [point for point in fast if point.sha == alert.sha_before]
    for point in reversed(of_commit or fast):
        return point.run_id, point.started_at
    return Unknown(reason="no fast run is left in the history")


def _side(alert: Alert, fast: Sequence[TrendPoint], slow: Sequence[TrendPoint]) -> Meanwhile | Unknown:
    if isinstance(alert.run_id, Unknown):
        return _SIDE_BY_SIDE
    if alert.case.alone:
        return TIMED_ALONE
    baselines = [
        [point.baseline_median_ns for point in level if isinstance(point.baseline_median_ns, int)]
        for level in (fast, slow)
    ]
    positive = [[each for each in level if each > 0] for level in baselines]
    return meanwhile(*positive, latency_ratio=alert.latency_ratio)


def _measured(store: Store, run_id: str, alert: Alert) -> Measurement | Unknown:
    for result in store.results_of(run_id, alert.case.id):
        if isinstance(result.measurement, Measurement):
            return result.measurement
    return Unknown(reason=f"run {run_id} has no measurement of the case")
