"""The page of two runs of the history: whose speed-up moved, the most significant first, and what explains it."""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.changebar import ChangeBar, change_bars
from pytest_xeonperf.report.environment import Fact, changes, machine_line
from pytest_xeonperf.report.page_compare import (
    NO_FORM,
    SHORT_SHA,
    ComparePage,
    CompareRow,
    End,
    banner_of,
    commit_fact,
    row_of,
)
from pytest_xeonperf.report.room import Room, lines_each
from pytest_xeonperf.report.verdict import Badge, Banner, Count, Tone
from pytest_xeonperf.report.why import why_of
from pytest_xeonperf.units import show_change, show_estimate, show_share, show_time

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_xeonperf.judge.runs import RunComparison, ShiftedCase
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.report.choice import Choice

_ON_TWO_DAYS = (
    "The two runs were measured at different times, so the verdict is on the speed-up, in which the machine cancels; "
    "times say which side moved."
)
_ANYWAY = (
    "by more than sessions of that case differ by; where fewer than eight are known, by more than the intervals of the "
    "two runs allow, which says nothing of what sessions differ by"
)
_MOST_SIGNIFICANT_FIRST = (
    "Red first, then what is undecided, then what is surely faster; within each what is most significant first."
)
_EXPLAINED = 200
"""Rows with what explains them."""

_FASTER = Badge(word="faster", sign="✓", tone=Tone.GOOD)
_NOT_SLOWER = Badge(word="not slower", sign="✓", tone=Tone.GOOD)
_ELSEWHERE = Unknown(reason="measured on another class of machine")


def history_page(
    found: RunComparison,
    *,
    runs: Collection[str] = (),
    cases: Collection[str] = (),
    choice: Choice | Unknown = NO_FORM,
) -> ComparePage:
    """The page of two runs: speed-ups of head against those of base, each measured in its own time.

    Args:
        found: What was found.
        runs: Ids of the runs that have a page to link to.
        cases: Ids of the cases that have one.
        choice: To compare two others.
    """
    ordered = found.worst_first
    shifts = [each.shift if isinstance(each.shift, Unknown) else each.shift.speedup for each in ordered]
    bars = change_bars(shifts, found.tolerance)
    room, command = Room.of(len(ordered)), shlex.join(["xeonperf", "compare", found.base.id, found.head.id])
    rows = [_shifted(each, bar, found.tolerance) for each, bar in zip(ordered, bars, strict=True)]
    return ComparePage(
        title="Comparison",
        banner=_history_banner(found, rows),
        ends=tuple(
            _end(name, run, links.run_page(run.id) if run.id in runs else "")
            for name, run in (("base", found.base), ("head", found.head))
        ),
        facts=_machines(found),
        order=_MOST_SIGNIFICANT_FIRST,
        columns=("base", "head", "speed-up", "variant's time", "baseline's time"),
        axis="speed-up: lower to the left",
        rows=_linked(_explained(rows[: room.rows], ordered), cases),
        notes=(*found.notes, *_left_out(room, len(ordered), command)),
        method=(
            _ON_TWO_DAYS,
            f"Red is a speed-up that fell by more than {show_share(found.tolerance)}, and {_ANYWAY}.",
            f"The chance of any undeserved red is at most {show_share(found.alpha)} over all cases.",
        ),
        environment=changes(found.base.machine.facts, found.head.machine.facts),
        command=command,
        choice=choice,
        at_home=bool(runs),
    )


def _explained(rows: Sequence[CompareRow], ordered: Sequence[ShiftedCase]) -> list[CompareRow]:
    """Rows with what explains them, as far as there is room: the most significant ones."""
    explained = [each for each in ordered if not isinstance(each.explained, Unknown) or _reached_others(each)]
    lines = lines_each(len(explained))
    told = [
        replace(row, why=why_of(each, lines=lines))
        for row, each in zip(rows[:_EXPLAINED], ordered[:_EXPLAINED], strict=True)
    ]
    return [*told, *rows[_EXPLAINED:]]


def _reached_others(each: ShiftedCase) -> bool:
    found = each.dispatch
    return not isinstance(found, Unknown) and bool(found.appeared or found.vanished)


def _left_out(room: Room, cases: int, command: str) -> tuple[str, ...]:
    """What the page has no room for."""
    if cases <= _EXPLAINED:
        return ()
    table = f"The table has the first {room.rows} of {cases} cases" if cases > room.rows else ""
    why = f"{'what' if table else 'What'} explains a case is said of the first {_EXPLAINED}"
    return (f"{' and '.join(filter(None, (table, why)))}: {command} --json gives all of it.",)


def _linked(rows: Sequence[CompareRow], cases: Collection[str]) -> tuple[CompareRow, ...]:
    """Rows that can be linked to, and link to the trends of those cases; of two of one case only the first is named."""
    named: dict[str, int] = {}
    for place, row in enumerate(rows):
        named.setdefault(row.case.id, place)
    return tuple(
        replace(
            row,
            anchor=links.case_anchor(row.case.id) if named[row.case.id] == place else "",
            href=links.case_page(row.case.id) if row.case.id in cases else "",
        )
        for place, row in enumerate(rows)
    )


def _shifted(each: ShiftedCase, bar: ChangeBar | Unknown, tolerance: float) -> CompareRow:
    head = "" if isinstance(each.head_speedup, Unknown) else show_estimate(each.head_speedup)
    row = replace(row_of(each, bar), base=show_estimate(each.base_speedup), head=head)
    shift = each.shift
    if each.outcome is Outcome.OTHER_MACHINE:  # the page says once what is so for all of them
        return replace(row, reason="", change=_ELSEWHERE)
    if each.outcome is Outcome.PASS:
        row = replace(row, badge=_FASTER if each.surely_faster(tolerance) else _NOT_SLOWER)
    if isinstance(shift, Unknown):
        return row
    sides = (show_change(1 / shift.candidate_ratio), show_change(1 / shift.baseline_ratio))
    return replace(row, change=show_change(shift.speedup.ratio), sides=sides)


def _history_banner(found: RunComparison, rows: Sequence[CompareRow]) -> Banner:
    """What two runs came to, in the words of the rows."""
    plain = banner_of(
        [(each.outcome, f"{each.case.workload}/{each.case.phase} {each.case.variant}") for each in found.worst_first]
    )
    apart = [each.reason for each in found.cases if each.outcome is Outcome.OTHER_MACHINE]
    tally = Counter(row.badge for row in rows)
    order = {row.badge: place for place, row in enumerate(reversed(rows))}
    return Banner(
        badge=_NOT_SLOWER if plain.badge.tone is Tone.GOOD else plain.badge,
        sentence=f"Speed-ups of two classes of machines are not compared: {apart[0]}." if apart else plain.sentence,
        counts=tuple(Count(badge=each, number=tally[each]) for each in sorted(tally, key=order.__getitem__)),
    )


def _machines(found: RunComparison) -> tuple[Fact, ...]:
    """The machine of both runs, or each by itself where they are of two classes."""
    base, head = found.base.machine, found.head.machine
    if base.comparability_class == head.comparability_class:
        return (Fact(name="machine", value=machine_line(head)),)
    return (
        Fact(name="machine of base", value=machine_line(base)),
        Fact(name="machine of head", value=machine_line(head)),
    )


def _end(name: str, run: Run, href: str) -> End:
    commit = run.commit
    return End(
        name=name,
        href=href,
        started=f"{show_time(run.started_at)} UTC",
        branch=commit if isinstance(commit, Unknown) else commit.branch,
        sha=commit if isinstance(commit, Unknown) else commit.sha[:SHORT_SHA],
        note=commit_fact(name, commit).note,
        run_id=run.id,
    )
