"""A trend in the space of a word: the geometry of an inline SVG, drawn by ``parts.html.j2``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_ns, show_ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
        borders_x: Where the environment became another one.
    """

    width: int
    height: int
    lines: tuple[str, ...]
    last: tuple[float, float] | Unknown
    floor_y: float | Unknown
    borders_x: tuple[float, ...]
    label: str


def sparkline(
    ratios: Sequence[float | Unknown], floor_ratio: float | Unknown, *, borders: Sequence[int] = ()
) -> Sparkline:
    """The speed-ups in the order given, oldest first; an `Unknown` leaves a gap.

    Args:
        ratios: The speed-ups.
        floor_ratio: The floor of the newest one.
        borders: Indices of those whose environment is not that of the one before.
    """
    floor = "" if isinstance(floor_ratio, Unknown) else f", floor {show_ratio(floor_ratio)}"
    return _drawn(ratios, floor_ratio, borders, lambda known: _label("speed-up", known, show_ratio) + floor)


def latency_sparkline(medians_ns: Sequence[int | Unknown], *, borders: Sequence[int] = ()) -> Sparkline:
    """The same of latencies, for what has no speed-up."""
    return _drawn(medians_ns, Unknown(reason="no floor"), borders, lambda known: _label("latency", known, show_ns))


def _drawn(
    values: Sequence[float | Unknown],
    floor: float | Unknown,
    borders: Sequence[int],
    label: Callable[[Sequence[float]], str],
) -> Sparkline:
    known = [value for value in values if not isinstance(value, Unknown)]
    if not known:
        nothing = Unknown(reason="nothing measured")
        return Sparkline(
            width=WIDTH,
            height=HEIGHT,
            lines=(),
            last=nothing,
            floor_y=nothing,
            borders_x=(),
            label=nothing.reason,
        )
    shown = known if isinstance(floor, Unknown) else [*known, floor]
    lowest, highest = min(shown), max(shown)
    middle = (lowest + highest) / 2
    span = max(highest - lowest, _LEAST_SPAN * middle) or 1.0
    spots_x = _spots_x(len(values))

    def y_of(value: float) -> float:
        return round(HEIGHT / 2 - (value - middle) / span * (HEIGHT - 2 * _PADDING), 1)

    last_index = max(index for index, value in enumerate(values) if not isinstance(value, Unknown))
    stretches = _stretches(values)
    return Sparkline(
        width=WIDTH,
        height=HEIGHT,
        lines=tuple(" ".join(f"{spots_x[index]},{y_of(value)}" for index, value in stretch) for stretch in stretches),
        last=(spots_x[last_index], y_of(known[-1])),
        floor_y=floor if isinstance(floor, Unknown) else y_of(floor),
        borders_x=tuple(_x_of(index - 0.5, len(values)) for index in borders),
        label=label(known) + _changed(len(borders)),
    )


@lru_cache(maxsize=256)
def _spots_x(count: int) -> tuple[float, ...]:
    """Where so many values are, from left to right: a page has a thousand lines of as many each."""
    return tuple(_x_of(index, count) for index in range(count))


def _x_of(index: float, count: int) -> float:
    step = (WIDTH - 2 * _PADDING) / max(count - 1, 1)
    return round(_PADDING + index * step if count > 1 else WIDTH - _PADDING, 1)


def _stretches(values: Sequence[float | Unknown]) -> list[list[tuple[int, float]]]:
    """Neighbours without a gap between them, each with its place."""
    stretches: list[list[tuple[int, float]]] = [[]]
    for index, value in enumerate(values):
        if isinstance(value, Unknown):
            stretches.append([])
        else:
            stretches[-1].append((index, value))
    return [stretch for stretch in stretches if stretch]


def _changed(times: int) -> str:
    return f"; the environment changed {'once' if times == 1 else f'{times} times'}" if times else ""


def _label(what: str, known: Sequence[float], show: Callable[[float], str]) -> str:
    if len(known) == 1:
        return f"{what} {show(known[0])}, first measurement"
    between = f"between {show(min(known))} and {show(max(known))}"
    return f"{what} over {len(known)} runs: now {show(known[-1])}, {between}"
