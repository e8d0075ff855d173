"""What was timed alone, as the pages show it: a latency and how much it varied, and no speed-up."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.report.environment import Fact
from pytest_xeonperf.units import show_ns, show_rate

if TYPE_CHECKING:
    from pytest_xeonperf.records import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What a case that was timed alone has to show, as text.

    Attributes:
        spread: How the rounds lie around their median.
    """

    latency: str
    item: str
    rate: str
    spread: tuple[Fact, ...]


def timed(timing: Timing) -> Timed:
    """What one timing has to show."""
    return Timed(
        latency=show_ns(timing.median_ns),
        item=timing.item,
        rate=show_rate(1e9 / max(timing.median_ns, 1), f"{timing.item}/s"),
        spread=_spread(timing),
    )


def _spread(timing: Timing) -> tuple[Fact, ...]:
    kept = len(timing.durations_ns)
    rounds = Fact(name="rounds", value=str(timing.rounds), note="" if kept == timing.rounds else f"{kept} of them kept")
    if not timing.durations_ns:
        return (rounds,)
    ordered = sorted(timing.durations_ns)
    half = (kept + 1) // 2
    return (
        rounds,
        Fact(name="fastest", value=show_ns(ordered[0])),
        Fact(name="middle half", value=f"{show_ns(median(ordered[:half]))} to {show_ns(median(ordered[-half:]))}"),
        Fact(name="slowest", value=show_ns(ordered[-1])),
    )
