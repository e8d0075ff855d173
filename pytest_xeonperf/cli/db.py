"""``xeonperf db``: looking after a history as a whole."""

from __future__ import annotations

import click

from pytest_xeonperf.cli.history import database_option, database_or_default
from pytest_xeonperf.store import maintenance, schema
from pytest_xeonperf.store.copying import copy_history


@click.group
def command() -> None:
    """Look after a history: its schema, its soundness, a copy of it.

    \b
    xeonperf db check
    xeonperf db upgrade --db postgresql://user@host/perf
    """  # noqa: D301 - click's \b keeps the lines of an example apart


@command.command
@database_option
def upgrade(db: str) -> None:
    """Bring the database to this version's schema; a SQLite file is copied beside itself before."""
    click.echo(maintenance.upgrade(database_or_default(db)))


@command.command
@database_option
def current(db: str) -> None:
    """Print the revision that the database is at, and on stderr the one that this version wants."""
    click.echo(maintenance.revision_of(database_or_default(db)) or "none")
    click.echo(f"this version of pytest-xeonperf wants {schema.REVISION}", err=True)


@command.command
@database_option
def check(db: str) -> None:
    """Say whether the database is sound and of this version's schema; exit code 4 if not."""
    maintenance.check(database_or_default(db))
    click.echo("the database is sound and of the newest schema")


@command.command
@database_option
def backup(db: str) -> None:
    """Copy a SQLite history beside itself, also while others write, and print where the copy is."""
    click.echo(maintenance.back_up_history(database_or_default(db)))


@command.command
@click.argument("source")
@click.argument("target")
def copy(source: str, target: str) -> None:
    """Copy all of a history into an empty database of any kind, in one transaction, and check it by reading it back.

    SOURCE and TARGET are URLs or paths. Tokens are copied too: they stay good.

    \b
    xeonperf db copy xeonperf.db postgresql+psycopg://xeonperf@db/xeonperf
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    done = copy_history(source, target)
    for table in done.tables:
        click.echo(f"{table.name}\t{table.rows}\t{table.digest}")
    click.echo(
        "the target held the same rows already" if done.was_there else "copied, and read back the same", err=True
    )
