"""Makes messages of what the engine does: for the parent of a measuring child, or for this session's own progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.shell import protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_xeonperf.records import Sample


class Teller:
    """The part of the engine's listener that only passes things on."""

    def __init__(self, tell: Callable[[object], object]) -> None:
        self.tell = tell

    def named(self, model: str, workload: str, phase: str) -> None:
        """What the workload and phase of a model are called."""
        self.tell(protocol.Named(model=model, workload=workload, phase=phase))

    def entering(self, model: str, variant: str, stage: str) -> None:
        """A variant of a model is about to be built, warmed up or timed."""
        self.tell(protocol.Entering(model=model, variant=variant, stage=stage))

    def timing_begins(self, model: str, budget_ns: int, min_rounds: int) -> None:
        """Everybody is warm: rounds begin."""
        self.tell(protocol.TimingBegins(model=model, budget_ns=budget_ns, min_rounds=min_rounds))

    def round_done(self, model: str, index: int, pairs: Mapping[str, Sample]) -> None:
        """A round was kept."""
        self.tell(protocol.RoundDone(model=model, index=index, pairs=dict(pairs)))

    def round_voided(self, model: str, index: int) -> None:
        """A round was thrown away."""
        self.tell(protocol.RoundVoided(model=model, index=index))
