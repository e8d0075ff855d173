"""``xeonperf report``: the history as pages that open from disk."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path

import click

from pytest_xeonperf.cli.history import database_option, database_or_default, resolve, revision_argument
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store

_MOST_PROCESSES = 8


@click.command
@revision_argument
@database_option
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("reports"),
    show_default=True,
    help="Folder for the pages; made if it is not there.",
)
@click.option("--open", "open_it", is_flag=True, help="Show the first page in the browser.")
def command(revision: str, db: str, output: Path, *, open_it: bool) -> None:
    """Write HTML pages about a run and the trend of every case, and print the path of the first one.

    REVISION is latest, latest~1, a branch, a sha, a tag or a run id: the verdict on the first page is about that run.
    The pages open from disk, without a server or a network.

    \b
    xeonperf report --open
    xeonperf report main~1 -o out
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    with open_store(database_or_default(db), readonly=True) as store:
        processes = min(_MOST_PROCESSES, len(os.sched_getaffinity(0)))
        index = write_site(store, output, run_id=resolve(store, revision), processes=processes)
    click.echo(index)
    if open_it and not webbrowser.open(index.absolute().as_uri()):
        click.echo("no browser could be started; open the page by its path", err=True)
