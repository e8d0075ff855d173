"""Where a history is: a SQLAlchemy URL, or just the path of a SQLite file."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from pytest_xeonperf.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import URL

DATABASE_NAME = "xeonperf.db"
DATABASE_VARIABLE = "XEONPERF_DB"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteFile:
    """A file of this machine."""

    path: Path

    @property
    def shown(self) -> str:
        """The path, for people and for ``--db``."""
        return str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A PostgreSQL database."""

    url: URL

    @property
    def shown(self) -> str:
        """The URL without its passwords."""
        given = {name: "***" if "pass" in name.lower() else value for name, value in self.url.query.items()}
        return self.url.set(query=given).render_as_string(hide_password=True)


def locate(url: str) -> SqliteFile | Server:
    """The place a URL or path means.

    Raises:
        UsageError: It cannot be read as a URL, or is of a kind of database that we do not keep histories in.
    """
    if "://" not in url:
        return SqliteFile(path=Path(url).expanduser().absolute())
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError(f"no database URL: {error}", remedy="give a path, or postgresql://user@host/name") from error
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return SqliteFile(path=Path(parsed.database).expanduser().absolute())
        case "sqlite":
            raise UsageError("a history in memory would be gone at once", where=url, remedy="give a path")
        case "postgresql" | "postgres":
            return Server(url=parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise UsageError(f"no histories in {other}", remedy="give a path, or postgresql://user@host/name")


def is_there(url: str) -> bool:
    """Whether there is a history to add to: a file that exists, or a server, which says so itself.

    Raises:
        UsageError: The URL cannot be meant.
    """
    place = locate(url)
    return not isinstance(place, SqliteFile) or place.path.is_file()


def as_typed(words: Sequence[str], url: str) -> str:
    """A command line as it can be recorded and shown: the history's URL in it without its passwords."""
    shown = locate(url).shown
    return shlex.join(word.replace(url, shown) for word in words)


def find_database(start: Path) -> str:
    """The history a command looks at without ``--db``: ``XEONPERF_DB``, else ``xeonperf.db`` here or in a parent.

    Raises:
        DataError: There is none.
    """
    named = os.environ.get(DATABASE_VARIABLE, "")
    if named:
        return named
    for folder in (start, *start.parents):
        if (folder / DATABASE_NAME).is_file():
            return str(folder / DATABASE_NAME)
    raise no_history(start / DATABASE_NAME)


def no_history(place: Path | str) -> DataError:
    """The error of a command that finds nothing to look at."""
    return DataError(f"no database at {place}", remedy="run `pytest --xeonperf suites/` first, or give --db")
