"""``xeonperf push``: a run to a service."""

from __future__ import annotations

import click

from pytest_xeonperf.ci.delivery import deliver
from pytest_xeonperf.cli.history import database_option, read_run, revision_argument
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import RunState


@click.command
@revision_argument
@click.option("--to", "url", metavar="URL", required=True, help="Where `xeonperf serve` is: https://perf.example.")
@database_option
def command(revision: str, url: str, db: str) -> None:
    """Send a run to a service; one that is there already stays as it is.

    The token stands in XEONPERF_TOKEN: `xeonperf token create` on the service's side makes it.
    """
    run = read_run(db, revision)
    if run.state is not RunState.FINISHED:
        raise UsageError(f"run {run.id} is {run.state}", remedy="push it when it is finished: it may be resumed")
    is_new = deliver(url, native.dumps(run))
    click.echo(f"run {run.id} {'added' if is_new else 'was there already'}", err=True)
