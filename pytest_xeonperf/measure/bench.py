"""What a session lends to every ladder it measures: limits, effort, a canary, the stopping rule, somebody to watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.measure.canary import Canary
    from pytest_xeonperf.measure.pace import Effort
    from pytest_xeonperf.records import Amx, Estimate, Limits, Sample, Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Output of the FP32 eager model, and the operations one call takes."""

    output: object
    flop: int


class Watcher(Protocol):
    """Told what is going on: for the progress line, and for the journal that names who was running at a crash."""

    def entering(self, variant: str, stage: str) -> None:
        """A variant is about to be built or warmed up."""

    def timing_begins(self, budget_ns: int, min_rounds: int) -> None:
        """Everybody is warm; rounds follow, at least so many, and no new one after the budget."""

    def round_done(self, index: int, pairs: Mapping[str, Sample]) -> None:
        """A round was kept."""

    def round_voided(self, index: int) -> None:
        """A round was thrown away: the machine was disturbed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What a session lends to every ladder it measures.

    Attributes:
        settled: Whether a variant is no longer needed in the rounds, by its name and the pairs of all variants.
        summarise: From pairs to a ratio with its interval.
        references: Outputs of the FP32 reference by (workload, phase, preset), filled as they are needed.
    """

    amx: Amx
    limits: Limits | Unknown
    effort: Effort
    seed: int
    canary: Canary
    settled: Callable[[str, Mapping[str, Sequence[Sample]]], bool]
    summarise: Callable[[Sequence[Sample]], Estimate]
    watcher: Watcher
    references: dict[tuple[str, str, str], Reference]
