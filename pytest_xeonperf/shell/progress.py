"""Says what is going on while a ladder is built, compiled and measured: one line that moves, or a few that stay."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_xeonperf.shell import protocol

if TYPE_CHECKING:
    import pytest

_STILL_EVERY_S = 30.0
_TIMING = "timing"


@dataclass(slots=True)
class Progress:
    """The progress line of a session.

    Attributes:
        rounds: Kept rounds of the ladder that is being measured.
    """

    reporter: pytest.TerminalReporter
    started_s: float = field(default_factory=time.monotonic)
    told_s: float = 0.0
    ladder: str = ""
    rounds: int = 0

    def hear(self, message: object) -> None:
        """Show a message of the child, if it is one about progress."""
        if isinstance(message, protocol.Entering):
            if message.ladder != self.ladder:
                self.ladder, self.rounds = message.ladder, 0
            if message.stage == _TIMING:
                self._show(f"{message.ladder}: {self.rounds} rounds done, timing {message.variant}", urgent=False)
            else:
                self._show(f"{message.ladder}: {message.stage} {message.variant}", urgent=True)
        elif isinstance(message, protocol.RoundDone):
            self.rounds += 1

    def clear(self) -> None:
        """Make room for what pytest prints."""
        if self.reporter.isatty and self.told_s:
            self.reporter.rewrite("", erase=True)

    def _show(self, text: str, *, urgent: bool) -> None:
        """On a terminal the line is rewritten; in a log it is printed at every new stage and every half minute."""
        now_s = time.monotonic()
        minutes, seconds = divmod(int(now_s - self.started_s), 60)
        elapsed = f"[{minutes}:{seconds:02d}] "
        if self.reporter.verbosity < 0:
            return
        if self.reporter.isatty:
            self.reporter.rewrite((elapsed + text)[: self.reporter._tw.fullwidth - 1], erase=True)  # noqa: SLF001
        elif urgent or now_s - self.told_s > _STILL_EVERY_S:
            self.reporter.ensure_newline()
            self.reporter.write_line(elapsed + text)
        else:
            return
        self.told_s = now_s
