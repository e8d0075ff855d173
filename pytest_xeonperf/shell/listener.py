"""Who hears what the engine does, and what it hears of one ladder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.records import Limits, Sample, Unknown
    from pytest_xeonperf.shell.protocol import WantsWeights


class Listener(Protocol):
    """The socket to the session, or the session itself."""

    def named(self, ladder: str, workload: str, phase: str) -> None:
        """What the workload and phase of a ladder are called."""

    def entering(self, ladder: str, variant: str, stage: str) -> None:
        """A variant of a ladder is about to be built, warmed up or timed."""

    def round_done(self, ladder: str, index: int, pairs: Mapping[str, Sample]) -> None:
        """A round was kept."""

    def weigh(self, wanted: WantsWeights) -> Mapping[str, int | Unknown]:
        """Peak RSS in bytes by variant, each of a fresh process holding nothing else."""

    def limits_raised(self, limits: Limits) -> None:
        """The machine can do more than was thought."""

    def timing_begins(self, ladder: str, budget_ns: int, min_rounds: int) -> None:
        """Everybody on a ladder is warm: its rounds begin."""

    def round_voided(self, ladder: str, index: int) -> None:
        """A round was thrown away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Tells the listener which ladder it is about."""

    listener: Listener
    ladder: str

    def entering(self, variant: str, stage: str) -> None:
        """A variant is about to be built, warmed up or timed."""
        self.listener.entering(self.ladder, variant, stage)

    def round_done(self, index: int, pairs: Mapping[str, Sample]) -> None:
        """A round was kept."""
        self.listener.round_done(self.ladder, index, pairs)

    def timing_begins(self, budget_ns: int, min_rounds: int) -> None:
        """Everybody is warm: rounds begin."""
        self.listener.timing_begins(self.ladder, budget_ns, min_rounds)

    def round_voided(self, index: int) -> None:
        """A round was thrown away."""
        self.listener.round_voided(self.ladder, index)
