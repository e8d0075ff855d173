"""A trend in the space of a word: the geometry of an inline SVG, drawn by ``parts.html.j2``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 132
HEIGHT = 30
_PADDING = 4  # room for the last dot
_LEAST_SPAN = 0.06  # relative: two per cent of noise should look like two per cent


@dataclass(frozen=True, slots=True, kw_only=True)
class Sparkline:
    """Polylines in pixels, the last point, the floor where there is one, and what a screen reader says.

    Attributes:
        lines: ``points`` attributes, one for each stretch without a gap.
        last: Centre of the dot on the newest value, or why there is none.
        floor_y: Height of the floor line.
    """

    width: int
    height: int
    lines: tuple[str, ...]
    last: tuple[float, float] | Unknown
    floor_y: float | Unknown
    label: str


def sparkline(
    ratios: Sequence[float | Unknown], floor_ratio: float | Unknown, *, width: int = WIDTH, height: int = HEIGHT
) -> Sparkline:
    """The speed-ups in the order given, oldest first; an `Unknown` leaves a gap."""
    known = [ratio for ratio in ratios if not isinstance(ratio, Unknown)]
    if not known:
        nothing = Unknown(reason="nothing measured")
        return Sparkline(width=width, height=height, lines=(), last=nothing, floor_y=nothing, label="nothing measured")
    shown = known if isinstance(floor_ratio, Unknown) else [*known, floor_ratio]
    middle = (min(shown) + max(shown)) / 2
    span = max(max(shown) - min(shown), _LEAST_SPAN * middle)

    def x_of(index: int) -> float:
        step = (width - 2 * _PADDING) / max(len(ratios) - 1, 1)
        return round(_PADDING + index * step if len(ratios) > 1 else width - _PADDING, 1)

    def y_of(ratio: float) -> float:
        return round(height / 2 - (ratio - middle) / span * (height - 2 * _PADDING), 1)

    last_index = max(index for index, ratio in enumerate(ratios) if not isinstance(ratio, Unknown))
    stretches = _stretches(ratios)
    return Sparkline(
        width=width,
        height=height,
        lines=tuple(" ".join(f"{x_of(index)},{y_of(ratio)}" for index, ratio in stretch) for stretch in stretches),
        last=(x_of(last_index), y_of(known[-1])),
        floor_y=floor_ratio if isinstance(floor_ratio, Unknown) else y_of(floor_ratio),
        label=_label(known, floor_ratio),
    )


def _stretches(ratios: Sequence[float | Unknown]) -> list[list[tuple[int, float]]]:
    """Neighbours without a gap between them, each with its place."""
    stretches: list[list[tuple[int, float]]] = [[]]
    for index, ratio in enumerate(ratios):
        if isinstance(ratio, Unknown):
            stretches.append([])
        else:
            stretches[-1].append((index, ratio))
    return [stretch for stretch in stretches if stretch]


def _label(known: Sequence[float], floor_ratio: float | Unknown) -> str:
    floor = "" if isinstance(floor_ratio, Unknown) else f", floor {show_ratio(floor_ratio)}"
    if len(known) == 1:
        return f"speed-up {show_ratio(known[0])}, first measurement{floor}"
    return (
        f"speed-up over {len(known)} runs: now {show_ratio(known[-1])}, "
        f"between {show_ratio(min(known))} and {show_ratio(max(known))}{floor}"
    )
