"""The page of a comparison, and that of a gate: what it found between two commits, worst first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate, Outcome, Unknown
from pytest_xeonperf.report.changebar import ChangeBar, change_bars
from pytest_xeonperf.report.environment import Change, Fact, changes, machine_line
from pytest_xeonperf.report.verdict import Badge, Banner, badge, counts, overall
from pytest_xeonperf.report.why import NOTHING_TO_SAY, Why
from pytest_xeonperf.units import (
    show_change,
    show_count,
    show_ns,
    show_share,
    show_time_change,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.comparison import ComparedCase, Comparison, Course
    from pytest_xeonperf.judge.runs import ShiftedCase
    from pytest_xeonperf.records import Case, Commit
    from pytest_xeonperf.report.choice import Choice

SHORT_SHA = 10
_IN_THE_SAME_ROUNDS = "Both commits ran in the same rounds, in random order"
NO_FORM = Unknown(reason="only the service compares what somebody names")


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One of two runs.

    Attributes:
        href: Of its page; empty where it has none.
        note: Of its commit: what else there is to say.
    """

    name: str
    href: str
    started: str
    branch: str | Unknown
    sha: str | Unknown
    note: str
    run_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRow:
    """One case of both sides.

    Attributes:
        anchor: Name of the row; empty where an earlier one is of the same case.
        href: Of the trend of the case; empty where it has none.
        change: What is judged, with its interval; or why it is not known.
        sides: What each side did to it.
        bar: The change, drawn.
        why: What explains it.
    """

    anchor: str
    href: str
    case: Case
    badge: Badge
    reason: str
    base: str
    head: str
    change: str | Unknown
    sides: tuple[str, str]
    bar: ChangeBar | Unknown
    why: Why = NOTHING_TO_SAY


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePage:
    """The whole page.

    Attributes:
        ends: The two runs; none of a gate, which keeps none.
        order: Of the rows, in words.
        columns: Of `base`, `head`, `change` and of the two sides, in the words of what is compared.
        axis: What left and right of a bar mean.
        environment: Facts of the machine that differ between the two.
        command: How to do it again; empty where one had to be there.
        choice: To compare two others, or why not here.
        at_home: Whether the first page is beside it.
    """

    title: str
    banner: Banner
    ends: tuple[End, ...]
    facts: tuple[Fact, ...]
    order: str
    columns: tuple[str, ...]
    axis: str
    rows: tuple[CompareRow, ...]
    notes: tuple[str, ...]
    method: tuple[str, ...]
    environment: tuple[Change, ...]
    command: str
    choice: Choice | Unknown
    at_home: bool = False


def gate_page(found: Comparison) -> ComparePage:
    """The page of a gate: times of head against base, in the same rounds."""
    cases = found.worst_first
    times = [each.change if isinstance(each.change, Unknown) else _inverse(each.change.own) for each in cases]
    bars = change_bars(times, found.tolerance)
    return ComparePage(
        title="Gate",
        banner=banner_of([(each.outcome, each.case.label) for each in cases]),
        ends=(),
        order="Worst first.",
        facts=(
            commit_fact("base", found.base_commit),
            commit_fact("head", found.head_commit),
            Fact(name="machine", value=machine_line(found.head_machine)),
        ),
        columns=("base", "head", "time of head", "time of its baseline", "speed-up"),
        axis="time of head: slower to the right",
        rows=tuple(_gated(each, bar) for each, bar in zip(cases, bars, strict=True)),
        notes=(*found.notes, *found.remarks),
        method=(
            f"{_IN_THE_SAME_ROUNDS}; {found.rounds_in_words}.",
            f"Red is what is slower for sure, beyond {show_change(1 + found.tolerance)}, and again in fresh processes.",
            f"The chance of any undeserved red is at most {show_share(found.alpha)} over all cases.",
            *map(_course, found.courses),
        ),
        environment=changes(found.base_machine.facts, found.head_machine.facts),
        command=found.command,
        choice=NO_FORM,
    )


def _course(course: Course) -> str:
    """How the rounds of one model went: what is needed to look at them again."""
    look = "once more, in fresh processes" if course.confirming else "the first look"
    contention = course.contention
    if isinstance(contention, Unknown):
        shared = f"what else used the cores is unknown: {contention.reason}"
    else:
        stolen, others = (show_share(contention.share(ns)) for ns in (contention.stolen_ns, contention.others_ns))
        held = f"throttled for {show_ns(contention.throttled_ns)}" if contention.throttled_ns else "not throttled"
        shared = f"of the cores' time {stolen} were stolen and {others} others', {held}"
    turns = "; one side was loaded at a time" if course.in_turns else ""
    return f"{course.model}, {look}: seed of the order {course.seed}{turns}; {shared}."


def _gated(each: ComparedCase, bar: ChangeBar | Unknown) -> CompareRow:
    row, change = row_of(each, bar), each.change
    if isinstance(change, Unknown):
        return row
    return replace(
        row,
        base=show_ns(change.base_ns / each.items_per_call),
        head=show_ns(change.head_ns / each.items_per_call),
        change=show_time_change(change.own),
        sides=(_of(change.baseline, inverse=True), _of(change.speedup)),
    )


def row_of(each: ComparedCase | ShiftedCase, bar: ChangeBar | Unknown) -> CompareRow:
    """A case of which no figures are known yet."""
    return CompareRow(
        anchor="",
        href="",
        case=each.case,
        badge=badge(each.outcome),
        reason=each.reason,
        base="",
        head="",
        change=Unknown(reason=each.reason),
        sides=("", ""),
        bar=bar,
    )


def _of(ratio: Estimate | Unknown, *, inverse: bool = False) -> str:
    if isinstance(ratio, Unknown):
        return ""
    return show_change(1 / ratio.ratio if inverse else ratio.ratio)


def _inverse(ratio: Estimate) -> Estimate:
    """Base over head as what head does to the time."""
    return Estimate(
        ratio=1 / ratio.ratio,
        low_ratio=1 / ratio.high_ratio if ratio.high_ratio < UNBOUNDED_RATIO else 0.0,
        high_ratio=1 / ratio.low_ratio if ratio.low_ratio > 0 else UNBOUNDED_RATIO,
        confidence=ratio.confidence,
    )


def banner_of(cases: Sequence[tuple[Outcome, str]]) -> Banner:
    """What cases came to, from their outcomes and names, the worst of them first."""
    outcomes = [outcome for outcome, _ in cases]
    red = [name for outcome, name in cases if outcome.red]
    undecided = [name for outcome, name in cases if outcome.undecided]
    if not cases:
        sentence = "Nothing was compared."
    elif red or undecided:
        first, *others = red or undecided
        word = "failed" if red else "could not be decided"
        sentence = f"{first}{f' and {len(others)} more' if others else ''} {word}."
    else:
        sentence = f"Nothing became slower in {show_count(len(cases), 'case')}."
    return Banner(badge=overall(outcomes), sentence=sentence, counts=counts(outcomes))


def commit_fact(name: str, commit: Commit | Unknown) -> Fact:
    """A commit in a line: its sha, and what it is about."""
    if isinstance(commit, Unknown):
        return Fact(name=name, value="unknown", note=commit.reason)
    dirty = "with uncommitted changes: " if commit.dirty else ""
    author = "" if isinstance(commit.author, Unknown) else f", by {commit.author}"
    return Fact(name=name, value=commit.sha[:SHORT_SHA], note=f"{dirty}{commit.subject}{author}")
