"""``xeonperf import``: runs from files into a history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_xeonperf.ci.alerts import series_of, watch_series
from pytest_xeonperf.cli.history import database_option, database_or_default
from pytest_xeonperf.errors import DataError, ExitCode
from pytest_xeonperf.exchange import native
from pytest_xeonperf.exchange.arriving import is_same, require_presentable
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from pytest_xeonperf.records import Case, Run
    from pytest_xeonperf.store.repository import Store


@click.command
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@database_option
def command(files: tuple[Path, ...], db: str) -> int:
    """Add runs that `xeonperf export --format json` wrote; one that is there already stays as it is.

    Each of the FILES holds a run, which is added whole or not at all. What a service would refuse is refused here too:
    it is told, the other files are added, and the exit code is 4.

    \b
    xeonperf export v1.2 -o run.json
    xeonperf import run.json --db elsewhere.db
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    refused = 0
    grown: dict[tuple[Case, str], None] = {}
    with open_store(database_or_default(db)) as store:
        for path in files:
            try:
                run, is_new = _added(store, path)
            except DataError as error:
                refused += 1
                click.echo(f"{path} was not imported: {error}", err=True)
                continue
            click.echo(f"run {run.id} {'added' if is_new else 'was there already'}", err=True)
            grown |= dict.fromkeys(series_of(run) if is_new else ())
        line = watch_series(store, grown, at=datetime.now(UTC).isoformat(timespec="seconds")).line
    if line:
        click.echo(line, err=True)
    return ExitCode.USAGE if refused else ExitCode.OK


def _added(store: Store, path: Path) -> tuple[Run, bool]:
    """The run in a file, which is in the history now, and whether it was new there.

    Raises:
        DataError: It is none that can be taken, or there is another one of its id.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else f"no UTF-8: {error.reason} at byte {error.start}"
        raise DataError(f"cannot be read: {why}", where=str(path), remedy="give another file") from error
    run = native.loads(text, where=str(path))
    require_presentable(run, now=datetime.now(UTC))
    is_new = store.add_run(run)
    if not is_new and not is_same(store.run(run.id), run):
        raise DataError(f"there is another run {run.id}", remedy="runs do not change: this one has been edited")
    return run, is_new
