"""The page of a case: its trend over runs, one chart for each class of machine it can be compared on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.chart import Chart, chart, news
from pytest_xeonperf.report.levels import level_changes
from pytest_xeonperf.report.page_alerts import alert_rows
from pytest_xeonperf.report.verdict import NOTHING, Badge, Banner, badge, counts
from pytest_xeonperf.units import show_change, show_estimate, show_interval, show_ns, show_ratio, show_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.report.environment import Change
    from pytest_xeonperf.report.page_alerts import AlertRow
    from pytest_xeonperf.store.summaries import TrendPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRow:
    """One run in the table beside a chart.

    Attributes:
        change: Of the speed-up, or of the latency of what is timed alone, since the measurement before; or why there is
            none to compare with.
        moved: How much faster each side became since then: ``candidate +4.2 %, baseline ±0.0 %``.
        gap: Why nothing was measured; empty where something was.
        level: How the level of the latency changed with this run; empty where it did not.
        environment: What of the environment is new in this run.
    """

    href: str
    date: str
    sha: str | Unknown
    branch: str | Unknown
    subject: str | Unknown
    badge: Badge
    reason: str
    speedup: str
    interval: str
    change: str | Unknown
    moved: str
    baseline: str
    candidate: str
    floor: str | Unknown
    gap: str
    level: str
    environment: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The runs that may be compared with each other: a chart, and its table newest first."""

    heading: str
    comparability_class: str
    chart: Chart
    rows: tuple[TrendRow, ...]

    @property
    def levels(self) -> bool:
        """Whether the latency changed its level anywhere."""
        return any(row.level for row in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """The whole page."""

    title: str
    case: Case
    banner: Banner
    series: tuple[Series, ...]
    alerts: tuple[AlertRow, ...]


def case_page(
    case: Case,
    points: Sequence[TrendPoint],
    *,
    machines: Mapping[str, str],
    pages: Collection[str],
    compare: str = "",
    alerts: Sequence[Alert] = (),
) -> CasePage:
    """The page of a case.

    Args:
        case: Whose trend it is.
        points: Oldest first.
        machines: How to call the machines of a comparability class.
        pages: Ids of the runs that have a page to link to.
        compare: The page that compares any two runs, where there is one.
        alerts: Those of the case; the open ones are shown, each of which has a page.
    """
    classes: dict[str, list[TrendPoint]] = {}
    for point in points:
        classes.setdefault(point.comparability_class, []).append(point)
    newest_first = sorted(classes, key=lambda name: classes[name][-1].started_at, reverse=True)
    return CasePage(
        title=case.workload if case.alone else f"{case.workload}/{case.phase} {case.variant}",
        case=case,
        banner=_banner(case, points),
        alerts=alert_rows([each for each in alerts if each.state.open], pages=frozenset(each.id for each in alerts)),
        series=tuple(
            _series(
                f"trend-{number}", case, classes[name], machines.get(name, "another machine"), pages, compare=compare
            )
            for number, name in enumerate(newest_first)
        ),
    )


def _series(
    name: str, case: Case, points: Sequence[TrendPoint], heading: str, pages: Collection[str], *, compare: str
) -> Series:
    levels = level_changes(points)
    return Series(
        heading=heading,
        comparability_class=points[0].comparability_class,
        chart=chart(name, points, case=case, pages=pages, levels=levels, compare=compare),
        rows=_rows(case, points, pages, levels),
    )


def _banner(case: Case, points: Sequence[TrendPoint]) -> Banner:
    if not points:
        return Banner(badge=NOTHING, sentence="No run has a result for this case.", counts=())
    newest = points[-1]
    found = "" if isinstance(newest.speedup, Unknown) else show_estimate(newest.speedup)
    if case.alone and not isinstance(newest.candidate_median_ns, Unknown):
        found = show_ns(newest.candidate_median_ns)
    return Banner(
        badge=badge(newest.outcome),
        sentence="; ".join(part for part in (found, newest.reason) if part),
        counts=counts(point.outcome for point in points),
    )


def _rows(
    case: Case, points: Sequence[TrendPoint], pages: Collection[str], levels: Mapping[int, str]
) -> tuple[TrendRow, ...]:
    """The table, newest first; each measurement is compared with the one before, across gaps."""
    rows = []
    before: TrendPoint | Unknown = Unknown(reason="first measurement")
    for index, (point, environment) in enumerate(zip(points, news(points), strict=True)):
        change, moved = _slowing(before, point) if case.alone else _movement(before, point)
        rows.append(_row(point, change, moved, environment, pages, level=levels.get(index, "")))
        before = before if point.gap else point
    return tuple(reversed(rows))


def _row(
    point: TrendPoint,
    change: str | Unknown,
    moved: str,
    environment: tuple[Change, ...],
    pages: Collection[str],
    *,
    level: str,
) -> TrendRow:
    speedup = point.speedup
    floor = point.floor_ratio
    return TrendRow(
        href=links.run_page(point.run_id) if point.run_id in pages else "",
        date=show_time(point.started_at),
        sha=point.sha if isinstance(point.sha, Unknown) else point.sha[:10],
        branch=point.branch,
        subject=point.subject,
        badge=badge(point.outcome),
        reason=point.reason,
        speedup="" if isinstance(speedup, Unknown) else show_ratio(speedup.ratio),
        interval="" if isinstance(speedup, Unknown) else show_interval(speedup),
        change=change,
        moved=moved,
        baseline="" if isinstance(point.baseline_median_ns, Unknown) else show_ns(point.baseline_median_ns),
        candidate="" if isinstance(point.candidate_median_ns, Unknown) else show_ns(point.candidate_median_ns),
        floor=floor if isinstance(floor, Unknown) else show_ratio(floor),
        gap=point.gap,
        level=level,
        environment=environment,
    )


def _movement(before: TrendPoint | Unknown, point: TrendPoint) -> tuple[str | Unknown, str]:
    """The change of the speed-up, and the share of each side in it (a latency that falls counts as faster)."""
    if isinstance(before, Unknown):
        return before, ""
    if isinstance(point.speedup, Unknown) or isinstance(before.speedup, Unknown):
        return Unknown(reason="nothing to compare"), ""
    sides = []
    for side, old_ns, new_ns in (
        ("candidate", before.candidate_median_ns, point.candidate_median_ns),
        ("baseline", before.baseline_median_ns, point.baseline_median_ns),
    ):
        if not isinstance(old_ns, Unknown) and not isinstance(new_ns, Unknown) and old_ns > 0:
            sides.append(f"{side} latency {show_change(new_ns / old_ns)}")
    return show_change(point.speedup.ratio / before.speedup.ratio), ", ".join(sides)


def _slowing(before: TrendPoint | Unknown, point: TrendPoint) -> tuple[str | Unknown, str]:
    """The change of the latency of what is timed alone: a minus is faster."""
    if isinstance(before, Unknown):
        return before, ""
    old_ns, new_ns = before.candidate_median_ns, point.candidate_median_ns
    if isinstance(old_ns, Unknown) or isinstance(new_ns, Unknown) or old_ns <= 0:
        return Unknown(reason="nothing to compare"), ""
    return show_change(new_ns / old_ns), "of the latency; a minus is faster"
