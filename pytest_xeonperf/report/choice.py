"""How a page leads to comparisons: with the run before, and of any two runs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.filters import branch_of, machine_names
from pytest_xeonperf.report.moments import SHA_DIGITS
from pytest_xeonperf.units import show_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.store.summaries import RunSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineRuns:
    """The runs on one class of machine, as (id, words), newest first."""

    machine: str
    runs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A form that asks for two runs.

    Attributes:
        offered: What either may be.
        base: Id of the run that is chosen first; empty for the newest one. So is `head`.
    """

    action: str
    offered: tuple[MachineRuns, ...]
    base: str
    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCompare:
    """What a page says of comparisons.

    Attributes:
        href: Of that of its run with the one before; why there is none.
        choice: Of any two runs; why none can be made here.
        command: That makes the page of one.
    """

    href: str | Unknown
    choice: Choice | Unknown
    command: str


_NOBODY_ANSWERS = Unknown(reason="Any two runs are compared by the service, and by this command, which writes a page:")


def choice(runs: Sequence[RunSummary], *, base: str = "", head: str = "") -> Choice:
    """The form over these runs.

    Args:
        runs: Newest first.
        base: Id of the run to begin with; so is `head`. One that is not among the runs is offered all the same.
        head: See `base`.
    """
    names = machine_names(runs)
    offered = [
        MachineRuns(machine=name, runs=tuple(_told(run) for run in runs if run.comparability_class == machine))
        for machine, name in names.items()
    ]
    known = {run.id for run in runs}
    others = [run_id for run_id in dict.fromkeys((base, head)) if run_id and run_id not in known]
    if others:
        offered.append(MachineRuns(machine="older", runs=tuple((run_id, f"run {run_id}") for run_id in others)))
    return Choice(action=links.COMPARE, offered=tuple(offered), base=base, head=head)


def served(run_id: str, before: str | Unknown, runs: Sequence[RunSummary]) -> ToCompare:
    """For a page that is served.

    Args:
        run_id: The run that the page is about.
        before: The one before it, or why there is none.
        runs: Newest first.
    """
    base = "" if isinstance(before, Unknown) else before
    return ToCompare(
        href=before if isinstance(before, Unknown) else links.comparison(before, run_id),
        choice=choice(runs, base=base, head=run_id),
        command="",
    )


def on_disk(run_id: str, href: str | Unknown) -> ToCompare:
    """For a page on disk.

    Args:
        run_id: The run that the page is about.
        href: Of the page that compares it with the one before, or why there is none.
    """
    command = shlex.join(["xeonperf", "compare", "BASE", run_id, "--html", links.COMPARE])
    return ToCompare(href=href, choice=_NOBODY_ANSWERS, command=command)


NOWHERE = ToCompare(href=Unknown(reason=""), choice=Unknown(reason=""), command="")
"""For a page that leads to none."""


def _told(run: RunSummary) -> tuple[str, str]:
    code = "commit unknown" if isinstance(run.sha, Unknown) else f"{branch_of(run.branch)} {run.sha[:SHA_DIGITS]}"
    return run.id, f"{show_time(run.started_at)}, {code}"
