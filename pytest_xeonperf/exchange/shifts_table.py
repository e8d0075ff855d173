"""The table of ``xeonperf compare``: one row a case, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_change, show_estimate, show_ratio

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


def shift_notes(found: RunComparison) -> tuple[str, ...]:
    """Reasons, floors that could be higher, and what was not compared: a line each."""
    reasons = [f"{each.outcome.value} {each.case.label}: {each.reason}" for each in found.worst_first if each.reason]
    outgrown = [
        f"outgrown {each.case.label}: {_told(each.proposed)}, at {each.location}"
        for each in found.cases
        if not isinstance(each.proposed, Unknown)
    ]
    return (*reasons, *outgrown, *found.notes)


def _cells(each: ShiftedCase) -> tuple[str, ...]:
    case, shift = each.case, each.shift
    moves = ["-", "-", "-"]
    if not isinstance(shift, Unknown):
        moves = [
            show_change(ratio) for ratio in (shift.speedup.ratio, 1 / shift.candidate_ratio, 1 / shift.baseline_ratio)
        ]
    speedups = (show_estimate(each.base_speedup), show_estimate(each.head_speedup))
    return (f"{case.workload}/{case.phase}", case.variant, case.over, *speedups, *moves, each.outcome.value)


def _told(proposed: Proposal) -> str:
    figures = (proposed.proposed_ratio, proposed.floor_ratio, proposed.lowest_ratio)
    higher, current, lowest = map(show_ratio, figures)
    return f"a floor of {higher}, not {current}, would have held in the last {proposed.runs} runs (lowest {lowest})"
