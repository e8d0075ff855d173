"""What a cell of the grid can show in the place of its speed-up: the reader chooses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Measurement, Unknown
from pytest_xeonperf.report.evidence import fidelity_facts, share_of_limit
from pytest_xeonperf.units import show_ns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.records import Timing
    from pytest_xeonperf.store.summaries import TrendPoint


class Shown(StrEnum):
    """The figures there are to choose from; the first one is shown until somebody does."""

    SPEEDUP = "speedup"
    LATENCY = "latency"
    LIMIT = "limit"
    FIDELITY = "fidelity"

    @property
    def words(self) -> str:
        """For people: ``share of the limit``."""
        return {Shown.SPEEDUP: "speed-up", Shown.LIMIT: "share of the limit"}.get(self, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a case with what belongs to it: ``71 % of bandwidth``."""

    shown: Shown
    text: str


def figures(newest: TrendPoint, measurement: Measurement | Timing | Unknown) -> tuple[Figure, ...]:
    """All but the speed-up, as far as they are known.

    Args:
        newest: Has the candidate's latency.
        measurement: The same in full, with its share of the hardware's limit and its fidelity.
    """
    return tuple(Figure(shown=shown, text=text) for shown, text in _known(newest, measurement))


def _known(newest: TrendPoint, measurement: Measurement | Timing | Unknown) -> Iterator[tuple[Shown, str]]:
    if not isinstance(newest.candidate_median_ns, Unknown):
        yield Shown.LATENCY, show_ns(newest.candidate_median_ns)
    if not isinstance(measurement, Measurement):
        return
    share = share_of_limit(measurement.roofline)
    if not isinstance(share, Unknown):
        yield Shown.LIMIT, f"{share.value} {share.note}"
    scores = fidelity_facts(measurement)
    if scores:
        yield Shown.FIDELITY, ", ".join(f"{score.value} {score.name}" for score in scores)
