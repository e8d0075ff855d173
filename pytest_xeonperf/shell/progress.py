"""Says what is going on while variants are built, compiled and measured: one line that moves, or a few that stay."""

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
class _Rounds:
    """How far the rounds are.

    Attributes:
        least: Rounds that there will be at least; 0 as long as nobody has said.
        began_s: On the clock of `time.monotonic`.
        budget_s: No new round after this much time, once there are `least`.
    """

    least: int = 0
    began_s: float = 0.0
    budget_s: float = 0.0
    kept: int = 0
    voided: int = 0

    def shown(self, now_s: float) -> str:
        """Pairs done, pairs thrown away, and the time that is left at most."""
        if not self.least:
            return f"{self.kept} rounds"
        parts = [f"{self.kept} rounds" if self.kept >= self.least else f"{self.kept} of at least {self.least} rounds"]
        parts += [f"{self.voided} voided"] if self.voided else []
        return ", ".join([*parts, f"at most {_clock(self._left_s(now_s))} left"])

    def _left_s(self, now_s: float) -> float:
        """The rest of the budget, or what the rounds that there must be take as long as those so far."""
        elapsed_s, done = now_s - self.began_s, self.kept + self.voided
        owed_s = (self.least - self.kept) * elapsed_s / done if done else 0.0
        return max(self.budget_s - elapsed_s, owed_s, 0.0)


@dataclass(slots=True)
class Progress:
    """The progress line of a session."""

    reporter: pytest.TerminalReporter
    started_s: float = field(default_factory=time.monotonic)
    told_s: float = 0.0
    model: str = ""
    rounds: _Rounds = field(default_factory=_Rounds)

    def hear(self, message: object) -> None:
        """Show a message of the child, if it is one about progress."""
        match message:
            case protocol.Entering(model=model, variant=variant, stage=stage):
                if model != self.model:
                    self.model, self.rounds = model, _Rounds()
                if stage == _TIMING:
                    self._show(f"{model}: {self.rounds.shown(time.monotonic())}, timing {variant}", urgent=False)
                else:
                    self.say(f"{model}: {stage} {variant}")
            case protocol.TimingBegins(model=model, budget_ns=budget_ns, min_rounds=least):
                self.model = model
                self.rounds = _Rounds(least=least, began_s=time.monotonic(), budget_s=budget_ns / 1e9)
            case protocol.RoundDone():
                self.rounds.kept += 1
            case protocol.RoundVoided():
                self.rounds.voided += 1
            case protocol.WantsWeights(wanted=wanted):
                names = ", ".join(each.variant for each in wanted)
                self.say(f"{self.model}: weighing, each in a process of its own: {names}")
            case protocol.WantsFreshLook(why=why):
                self.say(f"{self.model}: {why}; once more, in a fresh process")

    def say(self, text: str) -> None:
        """Show that a new stage has begun."""
        self._show(text, urgent=True)

    def say_below(self, text: str) -> None:
        """The same on a new line: what pytest has printed of the last test stays."""
        if self.reporter.isatty and self.reporter.verbosity >= 0:
            self.reporter.write_line("")
        self.say(text)

    def clear(self) -> None:
        """Make room for what pytest prints."""
        if self.reporter.isatty and self.told_s:
            self.reporter.rewrite("", erase=True)

    def _show(self, text: str, *, urgent: bool) -> None:
        """On a terminal the line is rewritten; in a log it is printed at every new stage and every half minute."""
        now_s = time.monotonic()
        elapsed = f"[{_clock(now_s - self.started_s)}] "
        if self.reporter.verbosity < 0:
            return
        writer = self.reporter._tw  # noqa: SLF001 - pytest has no public way to ask where the line ends
        if self.reporter.isatty:
            self.reporter.rewrite((elapsed + text)[: writer.fullwidth - 1], erase=True)
        elif urgent or now_s - self.told_s > _STILL_EVERY_S:
            self.reporter.ensure_newline()
            if writer.width_of_current_line:  # the last test's dot and percentage
                writer.line()
            self.reporter.write_line(elapsed + text)
        else:
            return
        self.told_s = now_s


def _clock(duration_s: float) -> str:
    minutes, seconds = divmod(int(duration_s), 60)
    return f"{minutes}:{seconds:02d}"
