"""Floors that the history has outgrown: what a test asks for, far below what it has long been getting."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Estimate

FEWEST_RUNS = 5
_LATEST_RUNS = 20
_ROOM = 0.95
"""Of the lowest end of an interval in all those runs: a floor is for what must not happen, not for the usual."""
_WORTH_RAISING = 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A higher floor.

    Attributes:
        lowest_ratio: The lowest end of an interval in all runs that were looked at.
    """

    floor_ratio: float
    proposed_ratio: float
    lowest_ratio: float
    runs: int


def proposal(points: Sequence[tuple[float | Unknown, Estimate | Unknown]]) -> Proposal | Unknown:
    """A floor that the latest runs would all have kept with room to spare, or why none is proposed.

    Args:
        points: The floor that applied and the speed-up, run by run on one class of machine, oldest first. Runs before
            the floor was last changed do not count, nor do those without a figure.
    """
    measured = [(bound, speedup) for bound, speedup in points if not isinstance(speedup, Unknown)]
    if not measured or isinstance(measured[-1][0], Unknown):
        return Unknown(reason="no floor applies")
    current = measured[-1][0]
    speedups: list[Estimate] = []
    for bound, speedup in reversed(measured[-_LATEST_RUNS:]):
        if bound != current:
            break
        speedups.append(speedup)
    if len(speedups) < FEWEST_RUNS:
        return Unknown(reason=f"{show_count(len(speedups), 'run')} under this floor, {FEWEST_RUNS} are needed")
    lowest_ratio = min(speedup.low_ratio for speedup in speedups)
    proposed_ratio = floor(100 * _ROOM * lowest_ratio) / 100
    if proposed_ratio < _WORTH_RAISING * current:
        return Unknown(reason="the floor is near what is reached")
    return Proposal(floor_ratio=current, proposed_ratio=proposed_ratio, lowest_ratio=lowest_ratio, runs=len(speedups))
