"""How an outcome looks and what a run came to: a word, a sign and a tone, never a colour alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Outcome, Run, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_xeonperf.records import Case


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
class Piece:
    """A part of a sentence, and where it leads; nowhere where `href` is empty."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """The first thing on a page: a word for the whole, how many of what, and one sentence.

    Attributes:
        pieces: The sentence once more, cut where it links to something; empty where it links to nothing.
    """

    badge: Badge
    sentence: str
    counts: tuple[Count, ...]
    pieces: tuple[Piece, ...] = ()

    @classmethod
    def of(cls, badge: Badge, pieces: Sequence[Piece], counts: tuple[Count, ...]) -> Banner:
        """The banner whose sentence is made of these pieces."""
        sentence = "".join(piece.text for piece in pieces)
        return cls(badge=badge, sentence=sentence, counts=counts, pieces=tuple(pieces))


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

FAILED = Badge(word="failed", sign="✗", tone=Tone.BAD)
"""For a whole of which something is red."""

NOTHING = Badge(word="nothing measured", sign="?", tone=Tone.OPEN)
"""For a whole that has no results."""


def worst(*tones: Tone) -> Tone:
    """Bad beats open, open beats good."""
    return max(tones, key=(Tone.GOOD, Tone.OPEN, Tone.BAD).index)


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
        return FAILED
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


def banner(run: Run, *, places: Sequence[str] = (), of_run: str = "") -> Banner:
    """What a run came to.

    Args:
        run: The run.
        places: Where each of its results is shown, in their order; nothing is linked where there are none.
        of_run: What follows ``all 3 cases`` where it is not clear of which run: `` of this run``.
    """
    outcomes = [result.verdict.outcome for result in run.results]
    badge = ended(overall(outcomes), run.state)
    return Banner.of(badge, _sentence(run, places or ("",) * len(run.results), of_run), counts(outcomes))


def name_of(case: Case) -> str:
    """How sentences call a case: ``sam-vit-b/encode compiled_bf16``."""
    return case.workload if case.alone else f"{case.workload}/{case.phase} {case.variant}"


def _sentence(run: Run, places: Sequence[str], of_run: str) -> tuple[Piece, ...]:
    total = len(run.results)
    placed = list(zip(run.results, places, strict=True))
    red = [(result.case, place) for result, place in placed if result.verdict.outcome.red]
    undecided = [(result.case, place) for result, place in placed if result.verdict.outcome.undecided]
    ending = _ending(run)
    if not total:
        return (Piece(text=f"No case{of_run} has a result{ending}."),)
    if not red and not undecided:
        only, every = f"The only case{of_run} holds what its test promises", f"All {total} cases{of_run} hold"
        return (Piece(text=f"{only if total == 1 else f'{every} what is promised'}{ending}."),)
    (first, place), *others = red or undecided
    more = f" and {len(others)} more" if others else ""
    rest = f", {len(undecided)} undecided" if red and undecided else ""
    came_to = f"{more} {'failed' if red else 'could not be decided'}"
    passed = total - len(red) - len(undecided)
    return (
        Piece(text=name_of(first), href=place),
        Piece(text=f"{came_to}; {passed} of {total} passed{rest}{ending}."),
    )


def _ending(run: Run) -> str:
    """What to add where a run did not reach its end."""
    return {
        RunState.FINISHED: "",
        RunState.RUNNING: " so far: the run has not finished, or was killed",
        RunState.INTERRUPTED: " so far: the run was interrupted",
    }[run.state]
