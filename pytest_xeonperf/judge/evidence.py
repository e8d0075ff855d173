"""What of the evidence beside a number is not what it was: memory, graph breaks, recompiles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf, log
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.records import Evidence


class Figure(StrEnum):
    """A figure of the evidence, by its field."""

    PEAK_RSS = "peak_rss_bytes"
    WEIGHTS = "weight_bytes"
    GRAPH_BREAKS = "graph_breaks"
    RECOMPILES = "recompiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureShift:
    """One figure that changed between two runs.

    Attributes:
        reason: Of the later run's first graph break; empty for other figures.
    """

    figure: Figure
    before: int
    after: int
    reason: str


def figure_shifts(before: Evidence, after: Evidence, *, tolerance: float) -> tuple[FigureShift, ...]:
    """The figures that changed; a peak of memory only by more than the tolerance, as pages are not counted exactly."""
    found = []
    for figure in Figure:
        old, new = getattr(before, figure.value), getattr(after, figure.value)
        if isinstance(old, Unknown) or isinstance(new, Unknown) or old == new:
            continue
        if figure is Figure.PEAK_RSS and _distance(old, new) <= log(1 + tolerance):
            continue
        reason = after.first_break if figure is Figure.GRAPH_BREAKS else ""
        found.append(FigureShift(figure=figure, before=old, after=new, reason=reason))
    return tuple(found)


def _distance(old: int, new: int) -> float:
    return abs(log(new / old)) if old > 0 and new > 0 else inf
