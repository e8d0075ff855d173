"""Who hears what the engine does, and what it hears of one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.records import Limits, Sample, Unknown
    from pytest_xeonperf.shell.protocol import FreshLook, WantsFreshLook, WantsWeights


class Listener(Protocol):
    """The socket to the session, or the session itself."""

    def named(self, model: str, workload: str, phase: str) -> None:
        """What the workload and phase of a model are called."""

    def entering(self, model: str, variant: str, stage: str) -> None:
        """A variant of a model is about to be built, warmed up or timed."""

    def round_done(self, model: str, index: int, pairs: Mapping[str, Sample]) -> None:
        """A round was kept."""

    def weigh(self, wanted: WantsWeights) -> Mapping[str, int | Unknown]:
        """Peak RSS in bytes by variant, each of a fresh process holding nothing else."""

    def look_afresh(self, wanted: WantsFreshLook) -> FreshLook:
        """What a fresh process makes of these tests, or why it makes nothing of them."""

    def limits_raised(self, limits: Limits) -> None:
        """The machine can do more than was thought."""

    def timing_begins(self, model: str, budget_ns: int, min_rounds: int) -> None:
        """Everybody is warm: rounds begin."""

    def round_voided(self, model: str, index: int) -> None:
        """A round was thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Tells the listener which model it is about."""

    listener: Listener
    model: str

    def entering(self, variant: str, stage: str) -> None:
        """A variant is about to be built, warmed up or timed."""
        self.listener.entering(self.model, variant, stage)

    def round_done(self, index: int, pairs: Mapping[str, Sample]) -> None:
        """A round was kept."""
        self.listener.round_done(self.model, index, pairs)

    def timing_begins(self, budget_ns: int, min_rounds: int) -> None:
        """Everybody is warm: rounds begin."""
        self.listener.timing_begins(self.model, budget_ns, min_rounds)

    def round_voided(self, index: int) -> None:
        """A round was thrown away."""
        self.listener.round_voided(self.model, index)
