"""What a gate came to: every case of two commits, with its change and its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, log
from typing import TYPE_CHECKING

from pytest_xeonperf.records import UNBOUNDED_RATIO, Outcome, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.change import Change
    from pytest_xeonperf.records import Case, Commit, Estimate, Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCase:
    """One case of both commits.

    Attributes:
        model: What is measured, for people: ``sam-vit-b/encode [quick]``.
        location: ``path:line`` of its test at head; empty for a mere baseline.
        item: What one unit of work is.
        items_per_call: Units of work in one timed call.
        change: What the rounds said, or why there were none.
    """

    case: Case
    model: str
    location: str
    node_id: str
    item: str
    items_per_call: int
    outcome: Outcome
    reason: str
    change: Change | Unknown

    @property
    def label(self) -> str:
        """For people: ``sam-vit-b/encode compiled_bf16``."""
        return f"{self.case.workload}/{self.case.phase} {self.case.variant}"

    @property
    def seen_from(self) -> float | Unknown:
        """The smallest slow-down that would have been seen, where none was: 0.02 is 2 %."""
        if isinstance(self.change, Unknown):
            return self.change
        if self.outcome.red:
            return Unknown(reason="a slow-down was seen")
        if not isfinite(self.change.excluded_slowdown):
            return Unknown(reason="too few rounds to exclude any slow-down")
        return max(0.0, self.change.excluded_slowdown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A gate's result.

    Attributes:
        base_commit: What head is compared with.
        notes: What was not compared, and why.
        base_machine: The machine as base's worker saw it: another torch shows here.
        tolerance: Slow-down that nobody minds: 0.02 is 2 %.
        alpha: Chance of any undeserved red over the whole comparison, and of an undeserved pass for each case.
        voided_rounds: Thrown away because the canary saw the machine disturbed.
        command: What the user typed.
    """

    base_commit: Commit
    head_commit: Commit
    base_machine: Machine
    head_machine: Machine
    cases: tuple[ComparedCase, ...]
    notes: tuple[str, ...]
    tolerance: float
    alpha: float
    voided_rounds: int
    command: str

    @property
    def worst_first(self) -> tuple[ComparedCase, ...]:
        """Red cases first, then undecided ones, then the rest; within each, what became slower most first."""
        return tuple(sorted(self.cases, key=_badness))

    @property
    def outcome(self) -> Outcome:
        """One word for the whole; see `overall`."""
        measured = any(not isinstance(each.change, Unknown) for each in self.cases)
        return overall([each.outcome for each in self.cases], measured=measured)


def overall(outcomes: Sequence[Outcome], *, measured: bool) -> Outcome:
    """One word for many: red beats undecided, undecided beats green, and nothing measured is undecided."""
    for not_green in ([each for each in outcomes if each.red], [each for each in outcomes if each.undecided]):
        if not_green:
            return not_green[0]
    return Outcome.PASS if measured else Outcome.INCONCLUSIVE


def rank(outcome: Outcome) -> int:
    """The place of an outcome where the worst comes first."""
    return 0 if outcome.red else 1 if outcome.undecided else 2


def significance(change: Estimate | Unknown, *, broken: bool) -> tuple[float, float]:
    """How many halves of its own interval a change is away from none, and how large it is; whichever way.

    Both of logarithms. An interval that nothing bounds makes any change insignificant.

    Args:
        change: A ratio, 1 where nothing changed.
        broken: Whether a change that is not known is so because nothing runs any more: that counts more than any.
    """
    if isinstance(change, Unknown):
        return (inf, inf) if broken else (0.0, 0.0)
    size = abs(log(change.ratio))
    if change.low_ratio <= 0 or change.high_ratio >= UNBOUNDED_RATIO:
        return 0.0, size
    half_width = log(change.high_ratio / change.low_ratio) / 2
    return (size / half_width if half_width else inf if size else 0.0), size


def _badness(each: ComparedCase) -> tuple[int, float]:
    return rank(each.outcome), 1.0 if isinstance(each.change, Unknown) else each.change.own.ratio
