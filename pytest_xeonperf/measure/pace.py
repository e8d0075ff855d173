"""How long a series of rounds goes on, and which of its rounds count."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_xeonperf.measure.clock import now_ns

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much measuring a ladder may take.

    Attributes:
        min_rounds: Six pairs are the fewest that bound a median at 95 %.
        budget_ns: No new round starts after this much time, once there are `min_rounds`.
    """

    min_rounds: int = 6
    max_rounds: int = 40
    budget_ns: int = 300 * 1_000_000_000


@dataclass(slots=True, kw_only=True)
class Pace:
    """Counts the rounds of one series; the canary sings before the first and after each.

    A round is voided, to be redone, when the canary before or after it says that the machine was disturbed, never
    because of its own times. When the budget is spent, or as many rounds were voided as could be needed in all,
    disturbed rounds are kept: the machine is then simply like that.

    Attributes:
        sing: Whether the machine is as usual, as the canary finds.
        disturbed: Indices of rounds that were kept although the canary found the machine disturbed.
        quiet: What the canary said last.
    """

    effort: Effort
    sing: Callable[[], bool]
    kept: int = 0
    voided: int = 0
    disturbed: list[int] = field(default_factory=list)
    quiet: bool = field(init=False)
    started_ns: int = field(init=False)

    def __post_init__(self) -> None:
        self.started_ns = now_ns()
        self.quiet = self.sing()

    @property
    def index(self) -> int:
        """Of the next round, voided ones counted."""
        return self.kept + self.voided

    @property
    def may_settle(self) -> bool:
        """Whether there are enough rounds for anybody to leave them."""
        return self.kept >= self.effort.min_rounds

    def goes_on(self) -> bool:
        """Whether there is another round for who still needs one."""
        return not self.may_settle or (self.kept < self.effort.max_rounds and self._has_time())

    def keeps(self) -> bool:
        """Count a round that is over; whether it is kept."""
        before, self.quiet = self.quiet, self.sing()
        if not (before and self.quiet):
            if self.voided < self.effort.max_rounds and self._has_time():
                self.voided += 1
                return False
            self.disturbed.append(self.index)
        self.kept += 1
        return True

    def _has_time(self) -> bool:
        return now_ns() - self.started_ns < self.effort.budget_ns
