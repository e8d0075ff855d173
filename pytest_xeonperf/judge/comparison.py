"""What a gate came to: every case of two commits, with its change and its verdict."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, log
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.contention import shared_words
from pytest_xeonperf.records import UNBOUNDED_RATIO, Outcome, Unknown
from pytest_xeonperf.units import show_change, show_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.carryover import OrderEffect
    from pytest_xeonperf.judge.change import Change
    from pytest_xeonperf.records import Case, Commit, Contention, Estimate, Machine, Sample

_NO_PAIRS = Unknown(reason="there are no pairs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How the rounds of one model went.

    Attributes:
        model: What is measured, for people.
        seed: Of the order within the rounds.
        voided_rounds: Thrown away because the canary saw the machine disturbed.
        disturbed_rounds: Kept although it did: the time for others was spent.
        in_turns: Whether memory had room for one side only: the order of the sides was then not drawn.
        contention: What else used the cores, from the first round to the last.
        confirming: Whether this was the look in fresh processes at what was flagged.
    """

    model: str
    seed: int
    voided_rounds: int
    disturbed_rounds: int
    in_turns: bool
    contention: Contention | Unknown
    confirming: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCase:
    """One case of both commits.

    Attributes:
        model: What is measured, for people: ``sam-vit-b/encode [quick]``.
        location: ``path:line`` of its test at head; empty for a mere baseline.
        item: What one unit of work is.
        items_per_call: Units of work in one timed call.
        change: What the rounds said, or why there were none.
        pairs: Of which the change was made, base as the baseline and head as the candidate; where a second look did
            not confirm the first, those of both, and the change is the second's.
        order: What the order within the rounds did to the change, or why that cannot be said.
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
    pairs: tuple[Sample, ...] = ()
    order: OrderEffect | Unknown = _NO_PAIRS

    @property
    def carried_over(self) -> str:
        """What one side left to the other, for people; empty where that was not seen."""
        if isinstance(self.order, Unknown) or not self.order.seen:
            return ""
        first, last = (
            show_change(1 / ratio) for ratio in (self.order.baseline_first_ratio, self.order.candidate_first_ratio)
        )
        return f"head takes {first} time when base ran first, {last} when head did"

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
        courses: How the rounds of each model went, those of the confirming look last.
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
    courses: tuple[Course, ...]
    command: str

    @property
    def voided_rounds(self) -> int:
        """Thrown away because the canary saw the machine disturbed."""
        return sum(course.voided_rounds for course in self.courses)

    @property
    def disturbed_rounds(self) -> int:
        """Kept although the canary did."""
        return sum(course.disturbed_rounds for course in self.courses)

    @property
    def rounds_in_words(self) -> str:
        """Rounds that were thrown away, and those that were kept all the same."""
        words = f"{show_count(self.voided_rounds, 'round')} voided because the machine was disturbed"
        kept = self.disturbed_rounds
        return f"{words}, {kept} kept although it was: the time for others was spent" if kept else words

    @property
    def remarks(self) -> tuple[str, ...]:
        """What happened beside the measurement and matters: a line each for carry-over and for shared cores."""
        carried = [f"carry-over {each.label}: {words}" for each in self.cases if (words := each.carried_over)]
        shared = [
            f"shared {course.model}: {words}" for course in self.courses if (words := shared_words(course.contention))
        ]
        return tuple(dict.fromkeys((*carried, *shared)))

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
