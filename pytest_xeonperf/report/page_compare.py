"""The page of a comparison: what a gate found between two commits, or the history between two runs, worst first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate, Unknown
from pytest_xeonperf.report.changebar import ChangeBar, change_bars
from pytest_xeonperf.report.environment import Change, Fact, changes, machine_line
from pytest_xeonperf.report.verdict import Badge, Banner, badge, counts, overall
from pytest_xeonperf.report.why import NOTHING_TO_SAY, Why, why_of
from pytest_xeonperf.units import (
    show_change,
    show_count,
    show_estimate,
    show_ns,
    show_share,
    show_time,
    show_time_change,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.comparison import ComparedCase, Comparison, Course
    from pytest_xeonperf.judge.runs import RunComparison, ShiftedCase
    from pytest_xeonperf.records import Case, Commit, Outcome, Run

_SHORT_SHA = 10
_IN_THE_SAME_ROUNDS = "Both commits ran in the same rounds, in random order"
_ON_TWO_DAYS = (
    "The two runs were measured at different times, so the verdict is on the speed-up, in which the machine cancels; "
    "times say which side moved."
)
_ANYWAY = (
    "by more than sessions of that case differ by; where fewer than eight are known, by more than the intervals of the "
    "two runs allow, which says nothing of what sessions differ by"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRow:
    """One case of both sides.

    Attributes:
        change: What is judged, with its interval; or why it is not known.
        sides: What each side did to it.
        bar: The change, drawn.
        why: What explains it.
    """

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
        columns: Of `base`, `head`, `change` and of the two sides, in the words of what is compared.
        axis: What left and right of a bar mean.
        environment: Facts of the machine that differ between the two.
        command: How to do it again; empty where one had to be there.
    """

    title: str
    banner: Banner
    facts: tuple[Fact, ...]
    columns: tuple[str, ...]
    axis: str
    rows: tuple[CompareRow, ...]
    notes: tuple[str, ...]
    method: tuple[str, ...]
    environment: tuple[Change, ...]
    command: str


def gate_page(found: Comparison) -> ComparePage:
    """The page of a gate: times of head against base, in the same rounds."""
    cases = found.worst_first
    times = [each.change if isinstance(each.change, Unknown) else _inverse(each.change.own) for each in cases]
    bars = change_bars(times, found.tolerance)
    return ComparePage(
        title="Gate",
        banner=_banner([(each.outcome, each.case.label) for each in cases]),
        facts=(
            _commit_fact("base", found.base_commit),
            _commit_fact("head", found.head_commit),
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
    )


def history_page(found: RunComparison) -> ComparePage:
    """The page of two runs: speed-ups of head against those of base, each measured in its own time."""
    cases = found.worst_first
    shifts = [each.shift if isinstance(each.shift, Unknown) else each.shift.speedup for each in cases]
    bars = change_bars(shifts, found.tolerance)
    return ComparePage(
        title="Comparison",
        banner=_banner(
            [(each.outcome, f"{each.case.workload}/{each.case.phase} {each.case.variant}") for each in cases]
        ),
        facts=(
            _run_fact("base", found.base),
            _run_fact("head", found.head),
            Fact(name="machine", value=machine_line(found.head.machine)),
        ),
        columns=("base", "head", "speed-up", "variant's time", "baseline's time"),
        axis="speed-up: lower to the left",
        rows=tuple(_shifted(each, bar) for each, bar in zip(cases, bars, strict=True)),
        notes=found.notes,
        method=(
            _ON_TWO_DAYS,
            f"Red is a speed-up that fell by more than {show_share(found.tolerance)}, and {_ANYWAY}.",
            f"The chance of any undeserved red is at most {show_share(found.alpha)} over all cases.",
        ),
        environment=changes(found.base.machine.facts, found.head.machine.facts),
        command=f"xeonperf compare {found.base.id} {found.head.id}",
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
    row, change = _row(each, bar), each.change
    if isinstance(change, Unknown):
        return row
    return replace(
        row,
        base=show_ns(change.base_ns / each.items_per_call),
        head=show_ns(change.head_ns / each.items_per_call),
        change=show_time_change(change.own),
        sides=(_of(change.baseline, inverse=True), _of(change.speedup)),
    )


def _shifted(each: ShiftedCase, bar: ChangeBar | Unknown) -> CompareRow:
    head = "" if isinstance(each.head_speedup, Unknown) else show_estimate(each.head_speedup)
    row = replace(_row(each, bar), base=show_estimate(each.base_speedup), head=head, why=why_of(each))
    shift = each.shift
    if isinstance(shift, Unknown):
        return row
    sides = (show_change(1 / shift.candidate_ratio), show_change(1 / shift.baseline_ratio))
    return replace(row, change=show_change(shift.speedup.ratio), sides=sides)


def _row(each: ComparedCase | ShiftedCase, bar: ChangeBar | Unknown) -> CompareRow:
    """A case of which no figures are known yet."""
    return CompareRow(
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


def _banner(cases: Sequence[tuple[Outcome, str]]) -> Banner:
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


def _commit_fact(name: str, commit: Commit | Unknown) -> Fact:
    if isinstance(commit, Unknown):
        return Fact(name=name, value="unknown", note=commit.reason)
    dirty = "with uncommitted changes: " if commit.dirty else ""
    author = "" if isinstance(commit.author, Unknown) else f", by {commit.author}"
    return Fact(name=name, value=commit.sha[:_SHORT_SHA], note=f"{dirty}{commit.subject}{author}")


def _run_fact(name: str, run: Run) -> Fact:
    commit = _commit_fact(name, run.commit)
    return Fact(name=name, value=commit.value, note=f"{show_time(run.started_at)} UTC, run {run.id}: {commit.note}")
