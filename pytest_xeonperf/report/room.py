"""How much of a large run or comparison its page shows: a page stays below 2 MB, whatever was measured.

Reckoned from the number of cases alone, so that what is shown of one case does not depend on what another one has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.units import show_count

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROWS = 1000
"""Cases in a table."""

_SPACE = 1400
"""Of a page, in rows of its table of cases; the evidence of a case takes `_SECTION`."""

_SECTION = 6

_LINES = 1400
"""Of all lists of one kind on a page: pairs, operators, kernels."""

_FEWEST_LINES = 5

_DOTS = 8000
"""Of all strip plots of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What there is room for on a page.

    Attributes:
        rows: Cases in its table.
        sections: Cases with their evidence.
        lines: Of each list of a case.
        dots: Of the strip plot of a case.
    """

    rows: int
    sections: int
    lines: int
    dots: int

    @classmethod
    def of(cls, cases: int) -> Room:
        """For so many cases: everything of up to 35 of them with 40 pairs each, evidence of up to 200."""
        rows = min(cases, _ROWS)
        sections = max(1, min(rows, (_SPACE - rows) // _SECTION))
        return cls(rows=rows, sections=sections, lines=lines_each(sections), dots=_DOTS // sections)

    def left_out(self, cases: int, pairs: Sequence[int], lists: Sequence[int]) -> tuple[str, ...]:
        """What the page of a run does not show, as sentences; none where it shows everything.

        Args:
            cases: Of the run.
            pairs: How many each of them has.
            lists: How long the lists of its cases are.
        """
        said = []
        if cases > self.rows:
            said.append(f"The table has the first {self.rows} of {show_count(cases, 'case')}.")
        if cases > self.sections:
            said.append(f"Evidence is shown of the first {self.sections} of {show_count(cases, 'case')}.")
        if max((*pairs, *lists), default=0) > self.lines:
            said.append(f"Lists end after {self.lines} lines.")
        if max(pairs, default=0) > self.dots:
            said.append(f"Of each case {self.dots} pairs are drawn, evenly spread.")
        return tuple(said)


def lines_each(lists: int) -> int:
    """Lines of each of so many lists."""
    return max(_FEWEST_LINES, _LINES // max(lists, 1))
