"""Where alerts stand in a trend: at the first run of what they tell of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.page_alerts import BADGES
from pytest_xeonperf.units import show_slower

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.report.moments import Moments
    from pytest_xeonperf.report.trend import Trend


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMark:
    """An alert at a run; each of them has a page.

    Attributes:
        tone: The value of a `Tone`.
        text: ``▼ new: 10.0 % slower``.
    """

    href: str
    tone: str
    text: str


def alert_marks(alerts: Iterable[Alert], trend: Trend, moments: Moments) -> dict[int, tuple[AlertMark, ...]]:
    """By index, the alerts that tell of what begins there; a gate's stand at the first run of its head.

    Args:
        alerts: Of one case on one class of machine.
        trend: Theirs.
        moments: Of the runs of the history.
    """
    found: dict[int, tuple[AlertMark, ...]] = {}
    for alert in alerts:
        index = _first(alert, trend, moments)
        if index >= 0:
            found[index] = (*found.get(index, ()), _mark(alert))
    return found


def _first(alert: Alert, trend: Trend, moments: Moments) -> int:
    """Index of the first point of what an alert tells of; -1 if the trend does not show it."""
    marks = (moments.marks[place] for place in trend.places)
    if isinstance(alert.run_id, Unknown):
        return next((at for at, mark in enumerate(marks) if mark.sha == alert.sha_after), -1)
    return next((at for at, mark in enumerate(marks) if mark.run_id == alert.run_id), -1)


def _mark(alert: Alert) -> AlertMark:
    badge = BADGES[alert.state]
    text = f"{badge.sign} {badge.word}: {show_slower(alert.latency_ratio)}"
    return AlertMark(href=links.alert_page(alert.id), tone=badge.tone.value, text=text)
