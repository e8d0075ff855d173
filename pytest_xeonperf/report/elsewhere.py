"""Other machines in the verdict of the first page: a run that is green on one has not passed on another that is red."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import RunState, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.filters import OTHER_MACHINE, branch_of
from pytest_xeonperf.report.verdict import Badge, Banner, Piece, Tone
from pytest_xeonperf.units import show_count, show_day

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.summaries import RunSummary

FAILED_ELSEWHERE = Badge(word="failed on another machine", sign="✗", tone=Tone.BAD)
"""For a whole whose newest run is not red, where the newest one on another class of machine is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedRun:
    """The newest run on another class of machine, with red cases.

    Attributes:
        href: Of its page; empty where it has none.
        came_to: ``3 of 40 cases red``.
    """

    href: str
    machine: str
    day: str
    came_to: str

    @property
    def name(self) -> str:
        """How sentences call it."""
        return f"The newest run on {self.machine}, {self.day}"


def red_elsewhere(
    run: Run, runs: Sequence[RunSummary], machines: Mapping[str, str], pages: Collection[str]
) -> tuple[RedRun, ...]:
    """Of each other class of machine the newest finished run on the branch of this one, if it has red cases.

    Args:
        run: The run that the verdict is about.
        runs: Newest first.
        machines: How to call a comparability class.
        pages: Ids of the runs that have a page to link to.
    """
    branch = branch_of(run.commit if isinstance(run.commit, Unknown) else run.commit.branch)
    newest = {run.machine.comparability_class: run.id}
    found = []
    for each in runs:
        if each.state is not RunState.FINISHED or branch_of(each.branch) != branch:
            continue
        if newest.setdefault(each.comparability_class, each.id) == each.id != run.id:
            red = sum(number for outcome, number in each.outcomes if outcome.red)
            if red:
                found.append(_red_run(each, red, machines, pages))
    return tuple(found)


def _red_run(run: RunSummary, red: int, machines: Mapping[str, str], pages: Collection[str]) -> RedRun:
    total = sum(number for _, number in run.outcomes)
    return RedRun(
        href=links.run_page(run.id) if run.id in pages else "",
        machine=machines.get(run.comparability_class, OTHER_MACHINE),
        day=show_day(run.started_at),
        came_to=f"{red} of {show_count(total, 'case')} red",
    )


def with_elsewhere(own: Banner, red: Sequence[RedRun]) -> Banner:
    """The verdict of a run, with what failed on other machines: red itself it names that at its end, else first."""
    if not red:
        return own
    itself = own.pieces or (Piece(text=own.sentence),)
    if own.badge.tone is Tone.BAD:
        return Banner.of(own.badge, (*itself, Piece(text=" "), *_said(red)), own.counts)
    return Banner.of(FAILED_ELSEWHERE, (*_said(red), Piece(text=" "), *itself), own.counts)


def _said(red: Sequence[RedRun]) -> tuple[Piece, ...]:
    first, *others = red
    more = f", and so have those on {show_count(len(others), 'other machine')}" if others else ""
    return (Piece(text=first.name, href=first.href), Piece(text=f", has {first.came_to}{more}."))
