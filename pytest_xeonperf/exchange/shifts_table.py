"""The table of ``xeonperf compare``: one row a case, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from pytest_xeonperf.exchange.why_words import lines_of
from pytest_xeonperf.judge.surroundings import in_words
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.units import show_change, show_count, show_estimate, show_ratio

if TYPE_CHECKING:
    from pytest_xeonperf.judge.outgrown import Proposal
    from pytest_xeonperf.judge.runs import RunComparison, ShiftedCase


def shifts_table(found: RunComparison) -> Table:
    """The cases of both runs: both speed-ups, how they changed, and what each side did to it."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False)
    for title in ("case", "variant", "over"):
        table.add_column(title, no_wrap=True)
    for title in ("base", "head", "change", "variant's time", "baseline's time"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for each in found.worst_first:
        table.add_row(*map(Text, _cells(each)))
    return table


def since_then(found: RunComparison, *, release: str = "") -> tuple[str, ...]:
    """What a session says of an earlier run: how many speed-ups held, and a line for each case that is worse.

    Args:
        found: How the two stand to each other.
        release: What the earlier one is a run of; empty where it is just the one before.
    """
    held = sum(each.outcome is Outcome.PASS for each in found.cases)
    undecided = sum(each.outcome.undecided for each in found.cases)
    commit = found.base.commit
    of_commit = "" if isinstance(commit, Unknown) else f" of {commit.sha[:10]}"
    since, again = (
        (f"release {release}, run", f"xeonperf compare {release}") if release else ("run", "xeonperf compare")
    )
    told = f"since {since} {found.base.id}{of_commit}: {held} of {show_count(len(found.cases), 'speed-up')} held"
    told += f", {undecided} undecided ({again} says more)" if undecided else ""
    changed = in_words(found.environment)
    told += f"; the environment changed too: {changed}" if changed else ""
    worse = [each for each in found.worst_first if each.outcome.red or _has_drifted(each)]
    return (told, *(f"{_word(each)} {each.case.label}: {each.reason}" for each in worse))


def _has_drifted(each: ShiftedCase) -> bool:
    return not isinstance(each.shift, Unknown) and each.shift.drifted


def _word(each: ShiftedCase) -> str:
    if each.outcome.undecided:
        return "drifted"
    return "fell" if each.outcome is Outcome.REGRESSION else each.outcome.value


def shift_notes(found: RunComparison) -> tuple[str, ...]:
    """Reasons with what explains them below, floors that could be higher, and what was not compared: a line each."""
    reasons = [line for each in found.worst_first for line in _reasons(each)]
    return (*reasons, *outgrown_floors(found), *found.notes)


def _reasons(each: ShiftedCase) -> tuple[str, ...]:
    """Why a case came to what it did, and below it what explains that; nothing where there is nothing to say."""
    why = lines_of(each)
    if not (each.reason or why):
        return ()
    said = f"{each.outcome.value} {each.case.label}"
    return (f"{said}: {each.reason}" if each.reason else said, *(f"    {line}" for line in why))


def outgrown_floors(found: RunComparison) -> tuple[str, ...]:
    """A line for each floor that the history has outgrown."""
    return tuple(
        f"outgrown {each.case.label}: {_told(each.proposed)}, at {each.location}"
        for each in found.cases
        if not isinstance(each.proposed, Unknown)
    )


def _cells(each: ShiftedCase) -> tuple[str, ...]:
    case, shift = each.case, each.shift
    moves = ["-", "-", "-"]
    if not isinstance(shift, Unknown):
        moves = [
            show_change(ratio) for ratio in (shift.speedup.ratio, 1 / shift.candidate_ratio, 1 / shift.baseline_ratio)
        ]
    head = "-" if isinstance(each.head_speedup, Unknown) else show_estimate(each.head_speedup)
    speedups = (show_estimate(each.base_speedup), head)
    return (f"{case.workload}/{case.phase}", case.variant, case.over, *speedups, *moves, each.outcome.value)


def _told(proposed: Proposal) -> str:
    figures = (proposed.proposed_ratio, proposed.floor_ratio, proposed.lowest_ratio)
    higher, current, lowest = map(show_ratio, figures)
    return f"a floor of {higher}, not {current}, would have held in the last {proposed.runs} runs (lowest {lowest})"
