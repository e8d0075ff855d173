"""``xeonperf show``: one run, as a table for people or as JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from pytest_xeonperf.cli.console import table_console
from pytest_xeonperf.cli.history import database_option, read_run, revision_argument
from pytest_xeonperf.exchange import public
from pytest_xeonperf.exchange.table import result_notes, results_table
from pytest_xeonperf.judge.outlook import rates_line
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_time

if TYPE_CHECKING:
    from pytest_xeonperf.records import Commit, Run

_SHORT_SHA = 10


@click.command
@revision_argument
@database_option
@click.option("--json", "as_json", is_flag=True, help="JSON of the stable schema xeonperf-show/1 instead of a table.")
def command(revision: str, db: str, *, as_json: bool) -> None:
    """Show one run: REVISION is latest, latest~1, a branch, a sha, a tag or a run id.

    Exits with 0 whatever the verdicts are: this command looks, it does not judge.

    \b
    xeonperf show
    xeonperf show latest~1 --json | jq '.cases[].speedup_ratio'
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    run = read_run(db, revision)
    if as_json:
        click.echo(public.dumps(run), nl=False)
        return
    console = table_console()
    for line in _heading(run):
        console.print(Text(line))
    console.print()
    console.print(results_table(run.results, width=console.width))
    for note in (*result_notes(run.results), rates_line(run)):
        if note:
            console.print(Text(note))


def _heading(run: Run) -> tuple[str, ...]:
    machine = run.machine
    return (
        f"run {run.id}  {show_time(run.started_at)}  {run.state.value}",
        f"machine {machine.cpu_model}, {machine.isa.value}, {machine.threads} threads  ({machine.comparability_class})",
        f"commit {_commit(run.commit)}",
    )


def _commit(commit: Commit | Unknown) -> str:
    if isinstance(commit, Unknown):
        return f"unknown: {commit.reason}"
    changed = " with uncommitted changes" if commit.dirty else ""
    return f"{commit.sha[:_SHORT_SHA]} on {commit.branch}{changed}: {commit.subject}"
