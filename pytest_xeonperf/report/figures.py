"""What a cell of the grid can show in the place of its speed-up: the reader chooses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Measurement, Unknown
from pytest_xeonperf.report.evidence import fidelity_facts, share_of_limit
from pytest_xeonperf.units import show_ns

if TYPE_CHECKING:
    from pytest_xeonperf.records import Timing
    from pytest_xeonperf.store.summaries import TrendPoint


class Shown(StrEnum):
    """The figures there are to choose from, as people call them; the first one is shown until they do."""

    SPEEDUP = "speed-up"
    LATENCY = "latency"
    LIMIT = "share of the limit"
    FIDELITY = "fidelity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a case.

    Attributes:
        value: In words, or why there is none.
        note: What belongs to it; may be empty.
    """

    shown: Shown
    value: str | Unknown
    note: str = ""


def figures(newest: TrendPoint, measurement: Measurement | Timing | Unknown) -> tuple[Figure, ...]:
    """All but the speed-up: the candidate's latency, its share of the hardware's limit, its fidelity."""
    median_ns = newest.candidate_median_ns
    latency = median_ns if isinstance(median_ns, Unknown) else show_ns(median_ns)
    return (Figure(shown=Shown.LATENCY, value=latency), _limit(measurement), _fidelity(measurement))


def _limit(measurement: Measurement | Timing | Unknown) -> Figure:
    if not isinstance(measurement, Measurement):
        return Figure(shown=Shown.LIMIT, value=_missing(measurement))
    share = share_of_limit(measurement.roofline)
    if isinstance(share, Unknown):
        return Figure(shown=Shown.LIMIT, value=share)
    return Figure(shown=Shown.LIMIT, value=share.value, note=share.note)


def _fidelity(measurement: Measurement | Timing | Unknown) -> Figure:
    """The first score; the others are its note."""
    scores = fidelity_facts(measurement) if isinstance(measurement, Measurement) else ()
    if not scores:
        return Figure(shown=Shown.FIDELITY, value=_missing(measurement))
    first, *others = scores
    note = ", ".join((first.name, *(f"{score.name} {score.value}" for score in others)))
    return Figure(shown=Shown.FIDELITY, value=first.value, note=note)


def _missing(measurement: Measurement | Timing | Unknown) -> Unknown:
    return measurement if isinstance(measurement, Unknown) else Unknown(reason="not measured")
