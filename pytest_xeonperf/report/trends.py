"""The trends of a case: from the history, or on from where a page had got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.report.page_case import trends_of
from pytest_xeonperf.report.trend import Trend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Case
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.series import Numbered
    from pytest_xeonperf.store.summaries import RunMark

TREND_POINTS = 6_000
"""Points in the page of a case at most: it stays below 2 MB."""

_AT_ONCE = 1_000
"""Oldest points that go when there would be more: a page that goes on does not lose one each time."""


def read_trends(store: Store, case: Case, marks: Sequence[RunMark], *, until: int) -> dict[str, Trend]:
    """By comparability class, from the history; the newest `TREND_POINTS` points or somewhat fewer."""
    points = store.numbered_points(marks, case_id=case.id, until=until).get(case.id, [])
    return trends_of(case, ((place, point) for place, _id, point in points[_left_out(len(points)) :]))


def go_on(case: Case, trends: dict[str, Trend], fresh: Sequence[Numbered]) -> bool:
    """Add fresh points to trends; False if they do not come after what is there, or are too many.

    Then the trends are good for nothing.
    """
    total = sum(map(len, trends.values())) + len(fresh)
    if _left_out(total):
        return False
    oldest = min((trend.places[0] for trend in trends.values()), default=0)  # those before may have been left out
    for place, _id, point in fresh:
        trend = trends.setdefault(point.comparability_class, Trend())
        if place < (trend.places[-1] if len(trend) else oldest):
            return False
        trend.add([(place, point)], alone=case.alone)
    return True


def _left_out(total: int) -> int:
    """How many of the oldest points."""
    return -(-max(0, total - TREND_POINTS) // _AT_ONCE) * _AT_ONCE
