"""The page of a case: its trend over runs, one chart for each class of machine it can be compared on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Outcome
from pytest_xeonperf.report.case_series import NOTHING_KEPT, series_of
from pytest_xeonperf.report.filters import OTHER_MACHINE
from pytest_xeonperf.report.moments import Moments
from pytest_xeonperf.report.page_alerts import alert_rows
from pytest_xeonperf.report.slower import with_alerts
from pytest_xeonperf.report.trend import Trend
from pytest_xeonperf.report.verdict import NOTHING, Banner, Count, badge, name_of
from pytest_xeonperf.store.summaries import RunMark

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.report.case_series import Kept, Series
    from pytest_xeonperf.report.page_alerts import AlertRow
    from pytest_xeonperf.store.summaries import TrendPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """The whole page; `counted` says which runs the banner counts, where they are of several machines."""

    title: str
    case: Case
    banner: Banner
    counted: str
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
    """The page of a case, from its points.

    Args:
        case: Whose trend it is.
        points: Oldest first.
        machines: How to call the machines of a comparability class.
        pages: Ids of the runs that have a page to link to.
        compare: The page that compares any two runs, where there is one.
        alerts: Those of the case, each of which has a page; the open ones are listed, all stand in the charts.
    """
    marks: list[RunMark] = []
    placed: list[tuple[int, TrendPoint]] = []
    for point in points:
        if not marks or marks[-1].run_id != point.run_id:
            marks.append(mark_of(point))
        placed.append((len(marks) - 1, point))
    trends = trends_of(case, placed)
    return page_of(case, trends, moments=Moments(marks), machines=machines, pages=pages, compare=compare, alerts=alerts)


def mark_of(point: TrendPoint) -> RunMark:
    """The run of a point."""
    return RunMark(**{field.name: getattr(point, field.name) for field in fields(RunMark)})


def trends_of(case: Case, placed: Iterable[tuple[int, TrendPoint]]) -> dict[str, Trend]:
    """By comparability class, the trend of a case from its points with the places of their runs, oldest first."""
    classes: dict[str, list[tuple[int, TrendPoint]]] = {}
    for place, point in placed:
        classes.setdefault(point.comparability_class, []).append((place, point))
    trends = {name: Trend() for name in classes}
    for name, trend in trends.items():
        trend.add(classes[name], alone=case.alone)
    return trends


def page_of(
    case: Case,
    trends: Mapping[str, Trend],
    *,
    moments: Moments,
    machines: Mapping[str, str],
    pages: Collection[str],
    compare: str = "",
    alerts: Sequence[Alert] = (),
    kept: Mapping[str, Kept] = MappingProxyType({}),
) -> CasePage:
    """The page of a case, from its trends by comparability class; see `case_page`."""
    newest_first = sorted(trends, key=lambda name: trends[name].places[-1], reverse=True)
    return CasePage(
        title=name_of(case),
        case=case,
        banner=_with_alerts(
            _banner([trends[name] for name in newest_first]),
            alerts,
            {name: machines.get(name, OTHER_MACHINE) for name in newest_first},
        ),
        counted=f"on all {len(trends)} classes of machine together" if len(trends) > 1 else "",
        alerts=alert_rows([each for each in alerts if each.state.open], pages=frozenset(each.id for each in alerts)),
        series=tuple(
            series_of(
                case,
                trends[name],
                chart_name=f"trend-{number}",
                heading=machines.get(name, OTHER_MACHINE),
                comparability_class=name,
                moments=moments,
                pages=pages,
                compare=compare,
                alerts=[alert for alert in alerts if alert.comparability_class == name],
                kept=kept.get(name, NOTHING_KEPT),
            )
            for number, name in enumerate(newest_first)
        ),
    )


def _with_alerts(own: Banner, alerts: Sequence[Alert], machines: Mapping[str, str]) -> Banner:
    """The verdict on the newest run, which names its machine where there are several, and what became slower."""
    where = f" on {next(iter(machines.values()))}" if len(machines) > 1 else ""
    if where or any(alert.state.open for alert in alerts):
        own = replace(own, sentence=f"Newest run{where}: {own.sentence}")
    return with_alerts(own, alerts, machines, named=False)


def _banner(newest_first: Sequence[Trend]) -> Banner:
    if not newest_first:
        return Banner(badge=NOTHING, sentence="No run has a result for this case.", counts=())
    outcome, found, reason = newest_first[0].newest
    total: Counter[Outcome] = Counter()
    for trend in newest_first:
        total.update(trend.outcomes())
    return Banner(
        badge=badge(Outcome(outcome)),
        sentence="; ".join(part for part in (found, reason) if part),
        counts=tuple(Count(badge=badge(each), number=total[each]) for each in Outcome if total[each]),
    )
