"""What the page of a case hands on to the next one: its trends, and the rows of its tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_xeonperf.report.alert_marks import AlertMark
from pytest_xeonperf.report.case_series import Kept
from pytest_xeonperf.report.trend import Trend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_xeonperf.store.summaries import RunMark

_ROW = '<tr class="point">'


def trends_on(html: str, marks: Sequence[RunMark]) -> tuple[dict[str, Trend], dict[str, Kept]]:
    """By comparability class, the trends and the rows of a page that we wrote; nothing if it holds none.

    Args:
        html: The page.
        marks: The runs, of which those that the page knows are the first.
    """
    trends, kept = {}, {}
    try:
        for data, table in _parts(html):
            chart = json.loads(data)
            trend = Trend.unpacked(chart["trend"], marks)
            name = marks[trend.places[-1]].comparability_class
            rows = table.split(_ROW)[1:]
            trends[name] = trend
            kept[name] = Kept(
                rows={len(trend) - 1 - number: f"{_ROW}{row}" for number, row in enumerate(rows)},
                levels=dict(trend.levels),
                hrefs={int(index): href for index, href in chart["hrefs"].items()},
                alerts={
                    int(index): tuple(AlertMark(**mark) for mark in marks) for index, marks in chart["alerts"].items()
                },
            )
    except (ValueError, KeyError, TypeError, IndexError):
        return {}, {}
    return trends, kept


def _parts(html: str) -> Iterator[tuple[str, str]]:
    """The data of each chart, and the body of the table below it."""
    at = 0
    for number in range(html.count('data-chart="trend-')):
        start = _after(html, f'<script type="application/json" id="trend-{number}">', at)
        end = html.index("</script>", start)
        at = _after(html, "<tbody>\n", end)
        yield html[start:end], html[at : html.index("</tbody>", at)]


def _after(html: str, mark: str, at: int) -> int:
    return html.index(mark, at) + len(mark)
