"""What the page of a case hands on to the next one: its trends, and the rows of its tables."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from pytest_xeonperf.report.alert_marks import AlertMark
from pytest_xeonperf.report.case_series import Kept
from pytest_xeonperf.report.moments import Listed
from pytest_xeonperf.report.trend import Trend
from pytest_xeonperf.report.trends import go_on

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from pytest_xeonperf.records import Case
    from pytest_xeonperf.store.series import Numbered
    from pytest_xeonperf.store.summaries import RunMark

GoneOn = tuple[dict[str, Trend], dict[str, Kept]]
"""By comparability class the trend of a case, and what its next page can take over."""

_ROW = '<tr class="point">'
_END = b"</script>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The runs of a history, and which of them a page knew when it was made.

    Attributes:
        marks: Oldest first.
        known: Places of those that the page knew, in order: where a run came late, there are others between them.
    """

    marks: Sequence[RunMark]
    known: NDArray[np.uint32]

    @classmethod
    def of(cls, marks: Sequence[RunMark], *, new: Collection[str]) -> Runs:
        """All runs, some of which are new to the page."""
        places = [place for place, mark in enumerate(marks) if mark.run_id not in new]
        return cls(marks=marks, known=np.array(places, dtype=np.uint32))

    @property
    def before(self) -> tuple[RunMark, ...]:
        """Those that the page knew."""
        return tuple(self.marks[place] for place in self.known)

    @property
    def moved(self) -> bool:
        """Whether a run that the page knew has another place now."""
        return len(self.known) > 0 and int(self.known[-1]) >= len(self.known)


def gone_on(case: Case, html: bytes, runs: Runs, fresh: Sequence[Numbered]) -> GoneOn | None:
    """The trends of a page that we wrote, with fresh points, and its rows.

    None if it holds no trends, or those do not go on with these points: one of them is of a run between others.

    Args:
        case: Whose page it is.
        html: The page; without text that is wider than a byte in it, most is found and read faster.
        runs: Those that the page knew, and all.
        fresh: The points that the page does not have.
    """
    trends, rows = _trends_on(html, runs)
    return (trends, rows) if trends and go_on(case, trends, fresh) else None


def _trends_on(html: bytes, runs: Runs) -> GoneOn:
    """Nothing if the page holds none."""
    trends, kept = {}, {}
    try:
        for data, moments, table in _parts(html):
            chart = json.loads(data)
            trend = Trend.unpacked(chart["trend"], runs.marks, runs.known)
            name = runs.marks[trend.places[-1]].comparability_class
            rows = table.decode().split(_ROW)[1:]
            trends[name] = trend
            kept[name] = Kept(
                rows={len(trend) - 1 - number: f"{_ROW}{row}" for number, row in enumerate(rows)},
                levels=dict(trend.levels),
                hrefs={int(index): href for index, href in chart["hrefs"].items()},
                alerts={
                    int(index): tuple(AlertMark(**mark) for mark in marks) for index, marks in chart["alerts"].items()
                },
                moments=Listed(text=moments.decode(), count=len(trend)),
            )
    except (ValueError, KeyError, TypeError, IndexError):
        return {}, {}
    return trends, kept


def _parts(html: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The data of each chart, its moments, and the body of the table below it."""
    at = 0
    for number in count():
        if html.find(b'data-chart="trend-%d"' % number, at) < 0:
            return
        data, at = _between(html, b'<script type="application/json" id="trend-%d">' % number, _END, at)
        moments, at = _between(html, b'<script type="application/json" id="trend-%d-moments">' % number, _END, at)
        table, at = _between(html, b"<tbody>\n", b"</tbody>", at)
        yield data, moments, table


def _between(html: bytes, opening: bytes, closing: bytes, at: int) -> tuple[bytes, int]:
    """What stands between the next two of these, and where that ends."""
    start = html.index(opening, at) + len(opening)
    end = html.index(closing, start)
    return html[start:end], end
