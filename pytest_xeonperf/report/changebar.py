"""How much something changed, drawn: an interval and its estimate beside no change, the geometry of an inline SVG."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from pytest_xeonperf.records import UNBOUNDED_RATIO, Unknown
from pytest_xeonperf.units import show_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Estimate

WIDTH = 220
HEIGHT = 22
_PADDING = 6
_LEAST, _MOST = log(1.05), log(4.0)  # what a bar spans to either side: noise should look like noise


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBar:
    """One change, in pixels; where its interval leaves the picture, it ends at the edge.

    Attributes:
        zero_x: No change.
        tolerance: Left and right edge of what nobody minds.
        interval: Its ends.
        at_x: The estimate.
        label: What a screen reader says.
    """

    width: int
    height: int
    zero_x: float
    tolerance: tuple[float, float]
    interval: tuple[float, float]
    at_x: float
    label: str


def change_bars(changes: Sequence[Estimate | Unknown], tolerance: float) -> tuple[ChangeBar | Unknown, ...]:
    """Bars on one logarithmic scale, so that their lengths can be compared; above 1 is to the right."""
    known = [each for each in changes if not isinstance(each, Unknown)]
    ends = [end for each in known for end in (each.ratio, each.low_ratio, each.high_ratio)]
    finite = [abs(log(end)) for end in ends if 0 < end < UNBOUNDED_RATIO]
    span = min(max([_LEAST, 2 * log(1 + tolerance), *(1.1 * value for value in finite)]), _MOST)

    def x_of(ratio: float) -> float:
        part = -1.0 if ratio <= 0 else max(-1.0, min(1.0, log(ratio) / span))
        return round(WIDTH / 2 + part * (WIDTH / 2 - _PADDING), 1)

    def bar_of(each: Estimate) -> ChangeBar:
        return ChangeBar(
            width=WIDTH,
            height=HEIGHT,
            zero_x=x_of(1),
            tolerance=(x_of(1 / (1 + tolerance)), x_of(1 + tolerance)),
            interval=(x_of(each.low_ratio), x_of(each.high_ratio)),
            at_x=x_of(each.ratio),
            label=f"{show_change(each.ratio)}, interval from {_end(each.low_ratio)} to {_end(each.high_ratio)}",
        )

    return tuple(each if isinstance(each, Unknown) else bar_of(each) for each in changes)


def _end(ratio: float) -> str:
    return show_change(ratio) if 0 < ratio < UNBOUNDED_RATIO else "nowhere"
