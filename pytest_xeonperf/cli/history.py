"""How the commands that look back find their history and a run in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_xeonperf.ci.git import sha_of
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.location import find_database

if TYPE_CHECKING:
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

database_option = click.option(
    "--db",
    metavar="URL",
    default="",
    help="The history: a SQLAlchemy URL or the path of a SQLite file. Default: XEONPERF_DB, else xeonperf.db here or "
    "in the nearest parent folder.",
)
"""``--db`` as every command takes it; empty where it is not given."""

revision_argument = click.argument("revision", default="latest")
"""Which run: ``latest``, ``latest~1``, a branch, a sha, a tag or a run id."""


def database_or_default(url: str) -> str:
    """The history that ``--db`` names, else the one that belongs to the current folder.

    Raises:
        DataError: None is named and there is none.
    """
    return url or find_database(Path.cwd())


def read_run(url: str, revision: str) -> Run:
    """The run that a revision means, out of the history that ``--db`` names or the default one.

    Raises:
        UsageError: The revision means no run, or several.
        DataError: There is no history, or it cannot be read.
    """
    with open_store(database_or_default(url), readonly=True) as store:
        return store.run(resolve(store, revision))


def resolve(store: Store, revision: str) -> str:
    """The id of the run that a revision means; a name that the history does not know may be a tag of the repository.

    Raises:
        UsageError: It means none, or several.
    """
    try:
        return store.resolve(revision)
    except UsageError:
        sha = sha_of(Path.cwd(), revision)
        if isinstance(sha, Unknown) or "~" in revision:
            raise
        return store.resolve(sha)
