"""How an outcome looks and what a run came to: a word, a sign and a tone, never a colour alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Outcome, Run, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Tone(StrEnum):
    """What colour a word gets; the word and its sign say the same without it."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """An outcome, ready to be shown."""

    word: str
    sign: str
    tone: Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many cases of a run had one outcome."""

    badge: Badge
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """The first thing on a page: a word for the whole, how many of what, and one sentence."""

    badge: Badge
    sentence: str
    counts: tuple[Count, ...]


_SIGNS: Mapping[Outcome, str] = {
    Outcome.PASS: "✓",
    Outcome.REGRESSION: "▼",
    Outcome.BELOW_FLOOR: "▼",
    Outcome.TOO_FAST: "▲",
    Outcome.FIDELITY_FAILED: "≠",
    Outcome.WRONG_KERNEL: "✗",
    Outcome.CRASHED: "✗",
    Outcome.INCONCLUSIVE: "?",
    Outcome.NO_BASELINE: "?",
    Outcome.OTHER_MACHINE: "?",
}

NOTHING = Badge(word="nothing measured", sign="?", tone=Tone.OPEN)
"""For a whole that has no results."""


def tone(outcome: Outcome) -> Tone:
    """Good, bad or open."""
    if outcome.red:
        return Tone.BAD
    return Tone.OPEN if outcome.undecided else Tone.GOOD


def badge(outcome: Outcome) -> Badge:
    """An outcome as a lower-case phrase with its sign: ``▼ below floor``."""
    return Badge(word=outcome.lower().replace("_", " "), sign=_SIGNS[outcome], tone=tone(outcome))


def overall(outcomes: Iterable[Outcome]) -> Badge:
    """One word for many outcomes: red beats undecided, undecided beats green."""
    tones = {tone(outcome) for outcome in outcomes}
    if Tone.BAD in tones:
        return Badge(word="failed", sign="✗", tone=Tone.BAD)
    if Tone.OPEN in tones:
        return Badge(word="undecided", sign="?", tone=Tone.OPEN)
    return Badge(word="passed", sign="✓", tone=Tone.GOOD) if tones else NOTHING


def ended(whole: Badge, state: RunState) -> Badge:
    """The word for a run: what passed so far, and was not finished, has not passed."""
    if whole.tone is not Tone.GOOD or state is RunState.FINISHED:
        return whole
    return Badge(word=f"{state}, so far passed", sign="?", tone=Tone.OPEN)


def counts(outcomes: Iterable[Outcome]) -> tuple[Count, ...]:
    """How many of each outcome, green first, then in the order of `Outcome`; those that did not occur are left out."""
    tally = Counter(outcomes)
    return tuple(Count(badge=badge(outcome), number=tally[outcome]) for outcome in Outcome if tally[outcome])


def banner(run: Run) -> Banner:
    """What a run came to."""
    outcomes = [result.verdict.outcome for result in run.results]
    return Banner(badge=ended(overall(outcomes), run.state), sentence=_sentence(run), counts=counts(outcomes))


def _sentence(run: Run) -> str:
    total = len(run.results)
    red = [result.case for result in run.results if result.verdict.outcome.red]
    undecided = [result.case for result in run.results if result.verdict.outcome.undecided]
    ending = _ending(run)
    if not total:
        return f"No case has a result{ending}."
    if not red and not undecided:
        held = (
            "The only case holds what its test promises" if total == 1 else f"All {total} cases hold what is promised"
        )
        return f"{held}{ending}."
    first, *others = red or undecided
    name = first.workload if first.alone else f"{first.workload}/{first.phase} {first.variant}"
    named = f"{name}{f' and {len(others)} more' if others else ''}"
    rest = f", {len(undecided)} undecided" if red and undecided else ""
    passed = total - len(red) - len(undecided)
    return f"{named} {'failed' if red else 'could not be decided'}; {passed} of {total} passed{rest}{ending}."


def _ending(run: Run) -> str:
    """What to add where a run did not reach its end."""
    return {
        RunState.FINISHED: "",
        RunState.RUNNING: " so far: the run has not finished, or was killed",
        RunState.INTERRUPTED: " so far: the run was interrupted",
    }[run.state]
