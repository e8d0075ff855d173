"""What the scripts in ``static/trend`` draw: the axes of a chart and the columns below them, ready to be JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_xeonperf.records import UNBOUNDED_RATIO, Outcome
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.report.verdict import Tone, badge
from pytest_xeonperf.units import time_scale

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup
    from numpy.typing import NDArray

    from pytest_xeonperf.records import Case
    from pytest_xeonperf.report.alert_marks import AlertMark
    from pytest_xeonperf.report.trend import Trend

    Floats = NDArray[np.float64]

_LEAST_SPAN = 0.10  # relative: an axis never magnifies a calm series into a storm
_WIDEST = 1.5  # an interval that reaches further than this beyond the ratios is cut, not fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One plot of the stack.

    Attributes:
        span: Lower and upper end of the axis.
        scale: What figures of nanoseconds are divided by; 1 for ratios.
    """

    label: str
    span: tuple[float, float]
    scale: int = 1

    @property
    def data(self) -> dict[str, Any]:
        """Ready to be JSON."""
        return {"label": self.label, "span": self.span, "scale": self.scale}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A stack of plots over one axis of runs, oldest first, as ``trend/columns.js`` takes it apart.

    Attributes:
        compare: The page that compares two runs; empty where there is none, and the chart compares them itself.
        panels: Which of the plots there are, from the top: of what is timed alone only ``candidate``.
        speedup: The ratio, the ends of its interval, and the floor.
        trend: The columns, packed: a value for every run.
        verdicts: By outcome, the words of its badge and its tone.
        hrefs: By index, where the runs that have a page have it.
        alerts: By index, those that tell of what begins there.
        moments: By index, what is said of each run, as a JSON list that is safe in HTML.
    """

    name: str
    compare: str
    panels: tuple[str, ...]
    speedup: Panel
    candidate: Panel
    baseline: Panel
    trend: Mapping[str, Any]
    verdicts: Mapping[str, tuple[str, Tone]]
    hrefs: Mapping[int, str]
    alerts: Mapping[int, tuple[AlertMark, ...]]
    moments: Markup

    @property
    def data(self) -> dict[str, Any]:
        """All but the moments, ready to be JSON."""
        return {
            "name": self.name,
            "compare": self.compare,
            "panels": self.panels,
            "speedup": self.speedup.data,
            "candidate": self.candidate.data,
            "baseline": self.baseline.data,
            "trend": self.trend,
            "verdicts": self.verdicts,
            "hrefs": self.hrefs,
            "alerts": {index: [asdict(mark) for mark in marks] for index, marks in self.alerts.items()},
        }


def chart(
    name: str,
    trend: Trend,
    *,
    case: Case,
    moments: Markup,
    hrefs: Mapping[int, str],
    alerts: Mapping[int, tuple[AlertMark, ...]],
    compare: str = "",
) -> Chart:
    """The chart of one series.

    Args:
        name: Of the element that holds its data.
        trend: Its columns, settled.
        case: Whose series it is.
        moments: What is said of each run, as a JSON list that is safe in HTML.
        hrefs: By index, the pages of runs that have one.
        alerts: By index, what is told of what begins there.
        compare: The page that compares any two of these runs, where there is one.
    """
    outcomes = [Outcome(word) for word in trend.words["outcome"].words]
    return Chart(
        name=name,
        compare=compare,
        panels=("candidate",) if case.alone else ("speedup", "candidate", "baseline"),
        speedup=_speedup_panel(trend),
        candidate=_latency_panel("latency" if case.alone else case.variant, trend, "candidate_ns"),
        baseline=_latency_panel(case.over, trend, "baseline_ns"),
        trend=trend.packed(),
        verdicts={each.value: (f"{badge(each).sign} {badge(each).word}", badge(each).tone) for each in outcomes},
        hrefs=hrefs,
        alerts=alerts,
        moments=moments,
    )


def _speedup_panel(trend: Trend) -> Panel:
    columns = ("ratio", "low_ratio", "high_ratio", "floor_ratio")
    ratios, lows, highs, floors = (_known(trend.figures[name].array()) for name in columns)
    if not len(ratios):
        return Panel(label="speed-up", span=_span(floors))
    least = min(float(each.min()) for each in (ratios, floors) if len(each))
    most = max(float(each.max()) for each in (ratios, floors) if len(each))
    lows, highs = lows[lows > 0], highs[highs < UNBOUNDED_RATIO]
    low = max(min([least, *_ends(lows)]), least / _WIDEST)
    high = min(max([most, *_ends(highs)]), most * _WIDEST)
    return Panel(label="speed-up", span=_span(np.array([low, high])))


def _ends(values: Floats) -> list[float]:
    return [float(values.min()), float(values.max())] if len(values) else []


def _latency_panel(side: str, trend: Trend, column: str) -> Panel:
    known_ns = _known(trend.figures[column].array())
    scale, unit = time_scale(float(known_ns.max()) if len(known_ns) else 0)
    return Panel(label=f"{legible(side)}, {unit}", span=_span(known_ns / scale), scale=scale)


def _known(values: Any) -> Floats:
    known: Floats = values[~np.isnan(values)].astype(np.float64)
    return known


def _span(values: Floats) -> tuple[float, float]:
    """The values with a margin, at least a tenth of their middle in all."""
    if not len(values):
        return (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    missing = 0.0
    if high - low < _LEAST_SPAN * high:  # else it is wide enough whatever the middle
        missing = max(0.0, _LEAST_SPAN * float(np.median(values)) - (high - low)) / 2
    margin = (high - low + 2 * missing) * 0.08
    return (max(0.0, low - missing - margin), high + missing + margin)
