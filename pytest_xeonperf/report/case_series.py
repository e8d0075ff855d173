"""One class of machine on the page of a case: its chart, and the newest of its runs as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.alert_marks import AlertMark, alert_marks
from pytest_xeonperf.report.chart import Chart, chart
from pytest_xeonperf.report.environment import Change, changes
from pytest_xeonperf.report.moments import NOTHING_LISTED, Listed
from pytest_xeonperf.report.verdict import Badge, badge
from pytest_xeonperf.units import show_change

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.report.moments import Moments
    from pytest_xeonperf.report.trend import Trend

ROWS = 100
"""Newest runs in the table of a series; older ones are drawn from the chart's data when somebody wants them."""


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
        alerts: Those that tell of what begins with this run.
    """

    href: str
    date: str
    sha: str | Unknown
    branch: str | Unknown
    subject: str | Unknown
    badge: Badge
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
    alerts: tuple[AlertMark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRow:
    """One or more rows as they stood on the page before, and stand again."""

    html: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a series can take over from the page before.

    Attributes:
        rows: By index, the row in HTML.
        levels: By index, as they were; so are `hrefs` and `alerts`.
        moments: Of all points there were, as a JSON list.
    """

    rows: Mapping[int, str]
    levels: Mapping[int, str]
    hrefs: Mapping[int, str]
    alerts: Mapping[int, tuple[AlertMark, ...]]
    moments: Listed

    def changed(
        self, levels: Mapping[int, str], hrefs: Mapping[int, str], alerts: Mapping[int, tuple[AlertMark, ...]]
    ) -> set[int]:
        """Indices of points of which something else is said now."""
        return {
            index
            for index, _said in (
                *(self.levels.items() ^ levels.items()),
                *(self.hrefs.items() ^ hrefs.items()),
                *(self.alerts.items() ^ alerts.items()),
            )
        }


NOTHING_KEPT = Kept(rows={}, levels={}, hrefs={}, alerts={}, moments=NOTHING_LISTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The runs that may be compared with each other: a chart, and the newest of them as a table, newest first.

    Attributes:
        shown: How many runs are in the table.
        older: How many runs are in the chart and not in the table.
        levels: Whether the latency changed its level anywhere.
        alerts: Whether there is an alert anywhere.
    """

    heading: str
    comparability_class: str
    chart: Chart
    rows: tuple[TrendRow | KeptRow, ...]
    shown: int
    older: int
    levels: bool
    alerts: bool

    @property
    def anchor(self) -> str:
        """Name of its section on the page."""
        return links.class_anchor(self.comparability_class)


def series_of(
    case: Case,
    trend: Trend,
    *,
    chart_name: str,
    heading: str,
    comparability_class: str,
    moments: Moments,
    pages: Collection[str],
    compare: str,
    alerts: Iterable[Alert],
    kept: Kept,
) -> Series:
    """The series of one class of machine from its trend, which is settled then; see `case_page` for what is given."""
    trend.settle()
    hrefs, alerts_at = _hrefs(trend, moments, pages), alert_marks(alerts, trend, moments)
    first = max(0, len(trend) - ROWS)
    return Series(
        heading=heading,
        comparability_class=comparability_class,
        chart=chart(
            chart_name,
            trend,
            case=case,
            moments=moments.listed(trend.places, kept.moments),
            hrefs=hrefs,
            alerts=alerts_at,
            compare=compare,
        ),
        rows=tuple(
            _rows(case, trend, range(len(trend) - 1, first - 1, -1), moments, hrefs=hrefs, alerts=alerts_at, kept=kept)
        ),
        shown=len(trend) - first,
        older=first,
        levels=bool(trend.levels),
        alerts=bool(alerts_at),
    )


def _rows(
    case: Case,
    trend: Trend,
    indices: Iterable[int],
    moments: Moments,
    *,
    hrefs: Mapping[int, str],
    alerts: Mapping[int, tuple[AlertMark, ...]],
    kept: Kept,
) -> Iterator[TrendRow | KeptRow]:
    """The rows in this order; those that are kept, as many together as stand together."""
    standing: list[str] = []
    changed = kept.changed(trend.levels, hrefs, alerts)
    for index in indices:
        if index in kept.rows and index not in changed:
            standing.append(kept.rows[index])
            continue
        if standing:
            yield KeptRow(html=Markup("".join(standing)))  # noqa: S704 - from a page of ours
            standing = []
        yield _row(case, trend, index, moments, href=hrefs.get(index, ""), alerts=alerts.get(index, ()))
    if standing:
        yield KeptRow(html=Markup("".join(standing)))  # noqa: S704 - as above


def _hrefs(trend: Trend, moments: Moments, pages: Collection[str]) -> dict[int, str]:
    """By index, the pages of the runs that have one."""
    own = np.frombuffer(trend.places, dtype=np.uint32)
    found = np.flatnonzero(moments.among(pages)[own])
    return {int(index): links.run_page(moments.marks[own[index]].run_id) for index in found}


def _row(
    case: Case, trend: Trend, index: int, moments: Moments, *, href: str, alerts: tuple[AlertMark, ...]
) -> TrendRow:
    words = {name: column[index] for name, column in trend.words.items()}
    place = trend.places[index]
    moment = moments[place]
    before = moments.marks[trend.places[index - 1]].facts if index else moments.marks[place].facts
    return TrendRow(
        href=href,
        date=moment.date,
        sha=moment.sha,
        branch=moment.branch,
        subject=moment.subject,
        badge=badge(Outcome(words["outcome"])),
        speedup=words["speedup"],
        interval=f"{words['low']} {words['high']}".strip(),
        change=words["change"] or Unknown(reason=words["no_change"]),
        moved=_moved(case, trend, index) if words["change"] else "",
        baseline=words["baseline"],
        candidate=words["candidate"],
        floor=words["floor"] or Unknown(reason=words["no_floor"]),
        gap=words["gap"],
        level=trend.levels.get(index, ""),
        environment=changes(before, moments.marks[place].facts),
        alerts=alerts,
    )


def _moved(case: Case, trend: Trend, index: int) -> str:
    """The share of each side in a change of the speed-up (a latency that falls counts as faster)."""
    if case.alone:
        return "of the latency; a minus is faster"
    before = trend.measured_before(index)
    sides = []
    for side in ("candidate", "baseline"):
        values = trend.figures[f"{side}_ns"].values
        if values[before] > 0:
            sides.append(f"{side} latency {show_change(values[index] / values[before])}")
    return ", ".join(sides)
