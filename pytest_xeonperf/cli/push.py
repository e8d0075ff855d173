"""``xeonperf push``: a run to a service, after those that wait for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from pytest_xeonperf.ci.box import OUTBOX, deliver_kept, keep, outbox
from pytest_xeonperf.ci.delivery import PassedOverError, deliver
from pytest_xeonperf.cli.history import database_option, read_run, revision_argument
from pytest_xeonperf.errors import ExitCode, InfrastructureError, UsageError, XeonPerfError
from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import RunState, Unknown
from pytest_xeonperf.store.location import DATABASE_NAME
from pytest_xeonperf.units import show_count

if TYPE_CHECKING:
    from pytest_xeonperf.ci.box import Delivery
    from pytest_xeonperf.records import Run


@click.command
@revision_argument
@click.option("--to", "url", metavar="URL", required=True, help="Where `xeonperf serve` is: https://perf.example.")
@click.option("--waiting", is_flag=True, help="Send what waits for this service, and no other run.")
@database_option
@click.pass_context
def command(context: click.Context, revision: str, url: str, db: str, *, waiting: bool) -> int:
    """Send a run to a service; one that is there already stays as it is.

    What waits in .xeonperf/outbox, since the service was away, goes before it, the oldest run first. If the service
    does not answer, the run waits there too: the next push or session with --xeonperf-push to this address sends it.

    The token stands in XEONPERF_TOKEN: `xeonperf token create` on the service's side makes it.
    """
    box = outbox(_suites_folder(Path.cwd()), url)
    if waiting:
        if context.get_parameter_source("revision") is not ParameterSource.DEFAULT or db:
            raise UsageError("--waiting sends no other run", remedy="leave out the revision and --db, or --waiting")
        found = _send_waiting(box, url)
        if not isinstance(found.error, Unknown):
            raise found.error
        if not found.sent and not found.refused:
            click.echo("no run waits", err=True)
        return ExitCode.USAGE if found.refused else ExitCode.OK
    run = _whole(read_run(db, revision))
    document = native.dumps(run)
    try:
        why = _send_waiting(box, url).error
        if isinstance(why, PassedOverError):
            click.echo(why, err=True)
        elif not isinstance(why, Unknown):
            raise why
        is_new = deliver(url, document)
    except InfrastructureError as error:
        raise _kept(box, run, document, error) from error
    click.echo(f"run {run.id} {'added' if is_new else 'was there already'}", err=True)
    return ExitCode.OK


def _suites_folder(start: Path) -> Path:
    """The folder of suites that a command belongs to: the nearest, here or above, where a session has left something.

    That is a history under its default name, or runs that wait for a service; this folder where there is neither.
    """
    for folder in (start, *start.parents):
        if (folder / DATABASE_NAME).is_file() or (folder / OUTBOX).is_dir():
            return folder
    return start


def _whole(run: Run) -> Run:
    """A run that nothing will be added to.

    Raises:
        UsageError: It is under way, or may go on: the service takes a run of an id once.
    """
    if run.state is RunState.FINISHED:
        return run
    raise UsageError(
        f"run {run.id} is {run.state}, and a service takes a run once",
        remedy="push it when it is finished: `pytest --xeonperf --xeonperf-resume` goes on with one that was stopped",
    )


def _send_waiting(box: Path, url: str) -> Delivery:
    """Send what waits, and tell of it."""
    found = deliver_kept(box, url)
    if found.sent:
        click.echo(f"pushed {show_count(found.sent, 'run')} that had waited", err=True)
    for line in found.refused:
        click.echo(line, err=True)
    if not isinstance(found.error, Unknown):
        click.echo(f"{show_count(found.waiting, 'run')} kept in {box}", err=True)
    return found


def _kept(box: Path, run: Run, document: str, error: XeonPerfError) -> InfrastructureError:
    """Let a run wait; the error that says so."""
    try:
        keep(box, run.id, document)
    except OSError as failure:
        what = f"{error.what}; and the run cannot be kept: {failure.strerror}"
        return InfrastructureError(what, where=str(box), remedy="push it again later")
    return InfrastructureError(
        error.what,
        where=error.where,
        remedy=f"wait: run {run.id} is kept in {box}, and goes with the next `xeonperf push` or session with "
        "--xeonperf-push to this address; `xeonperf push --waiting` sends it too",
    )
