"""Every pair that was measured, as a dot: the geometry of an inline SVG, drawn by ``parts.html.j2``.

Speed-up runs to the right, time runs down. A machine that drifts shows as a slope, two modes show as two columns, and
the floor is a line that the dots are on one side of or are not. All dots are one path of points without length: an
element for each would take three times the space.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate, Sample, Unknown
from pytest_xeonperf.units import show_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 560
MOST_DOTS = 8000
"""Of one plot: there is no telling more apart."""

_SIDE = 34
_TOP = 20
_BOTTOM = 24
_ROWS_HEIGHT = 64
_LEAST_SPAN = 0.08  # relative: noise of one per cent should not look like a catastrophe
_TICKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A place on the axis and what it says."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Pixels of the plot.

    Attributes:
        dots: Centre of each pair that is drawn, in the order measured.
        of_pairs: How many pairs there are.
        median_x: Where the estimate is.
        interval: Left and right end of its interval, cut at the ends of the plot.
        floor: The floor as a tick, or why there is none.
        label: What a screen reader says.
    """

    width: int
    height: int
    top: int
    bottom: int
    ticks: tuple[Tick, ...]
    dots: tuple[tuple[float, float], ...]
    of_pairs: int
    median_x: float
    interval: tuple[float, float]
    floor: Tick | Unknown
    label: str

    @property
    def path(self) -> str:
        """The dots as one path, for a pen with a round tip."""
        return "".join(f"M{x:g} {y:g}h0" for x, y in self.dots)


def strip(
    samples: Sequence[Sample], speedup: Estimate, floor_ratio: float | Unknown, *, most: int = MOST_DOTS
) -> Strip:
    """The pairs of one measurement against their median, its interval and the floor.

    Args:
        samples: The pairs, in the order measured.
        speedup: What they came to.
        floor_ratio: The floor, or why there is none.
        most: Pairs that are drawn; of more than these as many as that, evenly spread.
    """
    ratios = [sample.baseline_ns / sample.candidate_ns for sample in samples if sample.candidate_ns > 0]
    low, high = _range(ratios, speedup, floor_ratio)

    def x_of(ratio: float) -> float:
        place = (min(max(ratio, low), high) - low) / (high - low)
        return round(_SIDE + place * (WIDTH - 2 * _SIDE), 1)

    drawn = ratios if len(ratios) <= most else [ratios[index * len(ratios) // most] for index in range(most)]
    row = _ROWS_HEIGHT / max(len(drawn), 1)
    return Strip(
        width=WIDTH,
        height=_TOP + _ROWS_HEIGHT + _BOTTOM,
        top=_TOP,
        bottom=_TOP + _ROWS_HEIGHT,
        ticks=tuple(Tick(x=x_of(value), text=text) for value, text in ticks(low, high)),
        dots=tuple((x_of(ratio), round(_TOP + row * (index + 0.5), 1)) for index, ratio in enumerate(drawn)),
        of_pairs=len(ratios),
        median_x=x_of(speedup.ratio),
        interval=(x_of(speedup.low_ratio), x_of(speedup.high_ratio)),
        floor=floor_ratio
        if isinstance(floor_ratio, Unknown)
        else Tick(x=x_of(floor_ratio), text=f"floor {show_ratio(floor_ratio)}"),
        label=_label(ratios, speedup, floor_ratio),
    )


def ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Round values inside a range, about six, each with as many decimals as it needs."""
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((index * step, f"{index * step:.{decimals}f}x") for index in range(first, last + 1))


def _range(ratios: Sequence[float], speedup: Estimate, floor_ratio: float | Unknown) -> tuple[float, float]:
    """What the axis spans: every pair, the floor, and the interval as far as it is bounded and not absurd."""
    shown = [*ratios, speedup.ratio]
    if not isinstance(floor_ratio, Unknown):
        shown.append(floor_ratio)
    low, high = min(*shown, UNBOUNDED_RATIO), min(max(shown), UNBOUNDED_RATIO)  # what is beyond stands at the edge
    if speedup.low_ratio > 0:
        low = min(low, max(speedup.low_ratio, low * 0.8))
    if speedup.high_ratio < UNBOUNDED_RATIO:
        high = max(high, min(speedup.high_ratio, high * 1.2))
    missing = max(0.0, _LEAST_SPAN * min(speedup.ratio, high) - (high - low)) / 2
    edge = (high - low + 2 * missing) * 0.04
    return low - missing - edge, high + missing + edge


def _label(ratios: Sequence[float], speedup: Estimate, floor_ratio: float | Unknown) -> str:
    floor = "no floor" if isinstance(floor_ratio, Unknown) else f"floor {show_ratio(floor_ratio)}"
    spread = f" from {show_ratio(min(ratios))} to {show_ratio(max(ratios))}" if ratios else ""
    return f"{len(ratios)} pairs{spread}, median {show_ratio(speedup.ratio)}, {floor}"
