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

    def named(self, ladder: str, workload: str, phase: str) -> None:
        """What the workload and phase of a ladder are called."""
        self.tell(protocol.Named(ladder=ladder, workload=workload, phase=phase))

    def entering(self, ladder: str, variant: str, stage: str) -> None:
        """A variant of a ladder is about to be built, warmed up or timed."""
        self.tell(protocol.Entering(ladder=ladder, variant=variant, stage=stage))

    def timing_begins(self, ladder: str, budget_ns: int, min_rounds: int) -> None:
        """Everybody on a ladder is warm: its rounds begin."""
        self.tell(protocol.TimingBegins(ladder=ladder, budget_ns=budget_ns, min_rounds=min_rounds))

    def round_done(self, ladder: str, index: int, pairs: Mapping[str, Sample]) -> None:
        """A round was kept."""
        self.tell(protocol.RoundDone(ladder=ladder, index=index, pairs=dict(pairs)))

    def round_voided(self, ladder: str, index: int) -> None:
        """A round was thrown away."""
        self.tell(protocol.RoundVoided(ladder=ladder, index=index))
