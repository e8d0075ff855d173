"""``xeonperf compare``: whose speed-up fell between two runs of the history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from pytest_xeonperf.ci.history import earlier_run, line_of
from pytest_xeonperf.cli.console import PERCENT, exit_code, html_option, table_console, tolerance_option, write
from pytest_xeonperf.cli.history import database_option, database_or_default, resolve
from pytest_xeonperf.cli.person import somebody
from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.exchange import shifts
from pytest_xeonperf.exchange.shifts_table import shift_notes, shifts_table
from pytest_xeonperf.judge.shift import TOLERANCE_OF_SESSIONS
from pytest_xeonperf.records import Acceptance, Unknown
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.report.render import render
from pytest_xeonperf.store.comparing import compared
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.units import show_time

if TYPE_CHECKING:
    from pytest_xeonperf.judge.runs import RunComparison
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

_BASE_AND_HEAD = 2


@click.command
@click.argument("revisions", nargs=-1)
@database_option
@tolerance_option(TOLERANCE_OF_SESSIONS, "Loss of speed-up")
@click.option(
    "--alpha",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    help="Chance of any undeserved red, over all cases together.",
)
@click.option(
    "--accept",
    metavar="REASON",
    default="",
    help="From now on compare cases that are red, or put down to the environment, with this run.",
)
@html_option
@click.option("--json", "as_json", is_flag=True, help="JSON of the schema xeonperf-compare/1 instead of a table.")
def command(
    revisions: tuple[str, ...],
    db: str,
    tolerance: float,
    alpha: float,
    accept: str,
    *,
    html_out: Path | None,
    as_json: bool,
) -> int:
    """Compare two runs of the history; exit code 0, 1 (a speed-up fell), 6 (undecided, nothing to compare).

    REVISIONS are base and head, each as in `xeonperf show`. Head is latest where only base is given. Without any, base
    is the newest run of the nearest earlier commit on the same class of machine. A release as base catches slow creep.

    Runs of different days cannot be told apart as surely as two sides of one: `xeonperf gate` measures side by side.

    \b
    xeonperf compare
    xeonperf compare v1.2 latest
    xeonperf compare v1.2 --accept "int8 keeps its scales in FP32 since #41"
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    if len(revisions) > _BASE_AND_HEAD:
        raise UsageError(f"{len(revisions)} revisions", remedy="give base and head, base alone, or nothing")
    with open_store(database_or_default(db), readonly=not accept) as store:
        head = store.run(resolve(store, revisions[1] if len(revisions) == _BASE_AND_HEAD else "latest"))
        line = line_of(head, Path.cwd())
        base = store.run(resolve(store, revisions[0]) if revisions else _from_history(store, head, line))
        if base.id == head.id:
            raise UsageError(f"base and head are both run {head.id}", remedy="name another base")
        found = compared(store, base, head, line=line, tolerance=tolerance / PERCENT, alpha=alpha)
        if as_json:
            click.echo(shifts.dumps(found), nl=False)
        else:
            _print(found)
        if html_out is not None:
            write(html_out, render(history_page(found)))
        if accept:
            _accept(store, found, accept)
    return exit_code(found.outcome)


def _from_history(store: Store, head: Run, line: tuple[str, ...] | Unknown) -> str:
    """The run of the nearest earlier commit, by the repository here.

    Raises:
        NotApplicableError: Nobody can say which commits came before, or none of them has a run that can be compared.
    """
    found = earlier_run(store, head, line)
    if isinstance(found, Unknown):
        raise NotApplicableError(found.reason, where=f"run {head.id}", remedy="name a base: xeonperf compare BASE")
    return found


def _accept(store: Store, found: RunComparison, reason: str) -> None:
    """Let every case of head that is red, or for its environment alone is not, be as it is from now on."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    red = [each for each in found.cases if each.outcome.red or each.surroundings]
    store.accept(
        [
            Acceptance(case=each.case, run_id=found.head.id, accepted_at=now, accepted_by=somebody(), reason=reason)
            for each in red
        ]
    )
    for each in red:
        click.echo(f"accepted: {each.case.label}", err=True)
    if not red:
        click.echo("nothing is red: nothing was accepted", err=True)


def _print(found: RunComparison) -> None:
    console = table_console()
    for name, run in (("base", found.base), ("head", found.head)):
        console.print(Text(f"{name} {_told(run)}"))
    console.print()
    if found.cases:
        console.print(shifts_table(found))
    for note in shift_notes(found):
        console.print(Text(note))
    console.print(Text(found.outcome.value if found.cases else "nothing was compared"))


def _told(run: Run) -> str:
    commit = run.commit
    what = commit.reason if isinstance(commit, Unknown) else f"{commit.sha[:10]}{'+' * commit.dirty} {commit.subject}"
    return f"{run.id}  {show_time(run.started_at)}  {what}"
