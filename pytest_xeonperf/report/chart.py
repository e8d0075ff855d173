"""What ``trend.js`` draws: the columns of a chart and the words of its tooltips, ready to be JSON."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.records import UNBOUNDED_RATIO, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.environment import Change, changes
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.report.verdict import Tone, badge
from pytest_xeonperf.units import show_interval, show_ns, show_ratio, show_time, time_scale

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pytest_xeonperf.records import Case, Estimate
    from pytest_xeonperf.store.summaries import TrendPoint

_LEAST_SPAN = 0.10  # relative: an axis never magnifies a calm series into a storm
_WIDEST = 1.5  # an interval that reaches further than this beyond the ratios is cut, not fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """The words of one place on the axis: what its tooltip says, and where a click goes.

    Attributes:
        gap: Why there is no value here; empty where there is one.
        changes: What of the environment is new at this point.
        level: How the level of the latency changed with this run; empty where it did not.
    """

    href: str
    sha: str
    date: str
    branch: str
    subject: str
    author: str
    verdict: str
    tone: Tone
    speedup: str
    baseline: str
    candidate: str
    gap: str
    changes: tuple[str, ...]
    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One plot of the stack.

    Attributes:
        lines: Values for every spot; JSON's null (`None` here, for uPlot's sake alone) where there is none.
        span: Lower and upper end of the axis.
    """

    label: str
    lines: tuple[tuple[float | None, ...], ...]
    span: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A stack of plots over one axis of runs, oldest first.

    Attributes:
        compare: The page that compares two runs; empty where there is none, and the chart compares them itself.
        panels: Which of the plots there are, from the top: of what is timed alone only ``candidate``.
        speedup: Lines: the ratio, the low end of its interval, the high end, the floor.
        candidate: Line: the latency of the candidate, in `unit`.
        baseline: Line: the latency of the baseline, in `unit`.
    """

    name: str
    compare: str
    panels: tuple[str, ...]
    spots: tuple[Spot, ...]
    speedup: Panel
    candidate: Panel
    baseline: Panel


def chart(
    name: str,
    points: Sequence[TrendPoint],
    *,
    case: Case,
    pages: Collection[str],
    levels: Mapping[int, str],
    compare: str = "",
) -> Chart:
    """The chart of one series.

    Args:
        name: Of the element that holds its data.
        points: Oldest first.
        case: Whose series it is.
        pages: Ids of the runs that have a page to go to.
        levels: Words for the changes of the level, by the index of the first point on a new one.
        compare: The page that compares any two of these runs, where there is one.
    """
    return Chart(
        name=name,
        compare=compare,
        panels=("candidate",) if case.alone else ("speedup", "candidate", "baseline"),
        spots=tuple(
            _spot(point, new, pages, level=levels.get(index, ""))
            for index, (point, new) in enumerate(zip(points, news(points), strict=True))
        ),
        speedup=_speedup_panel(points),
        candidate=_latency_panel(
            "latency" if case.alone else case.variant, [point.candidate_median_ns for point in points]
        ),
        baseline=_latency_panel(case.over, [point.baseline_median_ns for point in points]),
    )


def news(points: Sequence[TrendPoint]) -> list[tuple[Change, ...]]:
    """For each point, the facts of the environment that are not what they were at the point before."""
    return [changes(points[index - 1].facts, point.facts) if index else () for index, point in enumerate(points)]


def _spot(point: TrendPoint, new: tuple[Change, ...], pages: Collection[str], *, level: str) -> Spot:
    shown = badge(point.outcome)
    speedup = point.speedup
    return Spot(
        href=links.run_page(point.run_id) if point.run_id in pages else "",
        sha=_text(point.sha)[:10],
        date=f"{show_time(point.started_at)} UTC",
        branch=_text(point.branch),
        subject=_text(point.subject),
        author=_text(point.author),
        verdict=f"{shown.sign} {shown.word}",
        tone=shown.tone,
        speedup="" if isinstance(speedup, Unknown) else f"{show_ratio(speedup.ratio)} {show_interval(speedup)}",
        baseline=_latency(point.baseline_median_ns),
        candidate=_latency(point.candidate_median_ns),
        gap=legible(point.gap),
        changes=tuple(legible(f"{change.name}: {change.before} → {change.after}") for change in new),
        level=level,
    )


def _text(value: str | Unknown) -> str:
    return "" if isinstance(value, Unknown) else legible(value)


def _latency(median_ns: int | Unknown) -> str:
    return "" if isinstance(median_ns, Unknown) else show_ns(median_ns)


def _speedup_panel(points: Sequence[TrendPoint]) -> Panel:
    speedups = [point.speedup for point in points]
    ratios = [None if isinstance(speedup, Unknown) else speedup.ratio for speedup in speedups]
    floors = [None if isinstance(point.floor_ratio, Unknown) else point.floor_ratio for point in points]
    span = _speedup_span([speedup for speedup in speedups if not isinstance(speedup, Unknown)], _known(floors))
    lows = [None if isinstance(speedup, Unknown) else speedup.low_ratio for speedup in speedups]
    # the upper end as far as the axis reaches: an unbounded one would be drawn a billion pixels away
    highs = [None if isinstance(speedup, Unknown) else min(speedup.high_ratio, span[1]) for speedup in speedups]
    return Panel(label="speed-up", lines=tuple(map(tuple, (ratios, lows, highs, floors))), span=span)


def _speedup_span(speedups: Sequence[Estimate], floors: Sequence[float]) -> tuple[float, float]:
    """Every ratio and floor, and of the intervals what is bounded and not absurdly wide."""
    ratios = [speedup.ratio for speedup in speedups]
    if not ratios:
        return _span(floors)
    least, most = min(*ratios, *floors, ratios[0]), max(*ratios, *floors, ratios[0])
    lows = [speedup.low_ratio for speedup in speedups if speedup.low_ratio > 0]
    highs = [speedup.high_ratio for speedup in speedups if speedup.high_ratio < UNBOUNDED_RATIO]
    low = max(min(least, *lows, least), least / _WIDEST)
    high = min(max(most, *highs, most), most * _WIDEST)
    return _span([low, high])


def _latency_panel(side: str, medians_ns: Sequence[int | Unknown]) -> Panel:
    known_ns = [median_ns for median_ns in medians_ns if not isinstance(median_ns, Unknown)]
    scale, unit = time_scale(max(known_ns, default=0))
    line = tuple(None if isinstance(median_ns, Unknown) else median_ns / scale for median_ns in medians_ns)
    return Panel(label=f"{side}, {unit}", lines=(line,), span=_span(_known(line)))


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _span(values: Sequence[float]) -> tuple[float, float]:
    """The values with a margin, at least a tenth of their middle in all."""
    if not values:
        return (0.0, 1.0)
    low, high = min(values), max(values)
    missing = max(0.0, _LEAST_SPAN * median(values) - (high - low)) / 2
    margin = (high - low + 2 * missing) * 0.08
    return (max(0.0, low - missing - margin), high + missing + margin)
