"""What the ``xeonperf db`` commands do to a database as a whole."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.store import migration, schema
from pytest_xeonperf.store.backup import back_up
from pytest_xeonperf.store.engine import connect, migrate
from pytest_xeonperf.store.failures import explained
from pytest_xeonperf.store.location import Server, SqliteFile, locate, no_history
from pytest_xeonperf.store.migration import SchemaState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection


def revision_of(url: str) -> str:
    """The revision of the schema that a database is at; empty where it has none.

    Raises:
        DataError: There is no such file, or it is no database.
    """
    with _looking_at(url) as (connection, _):
        return migration.current_revision(connection)


def check(url: str) -> None:
    """Nothing, if the database is sound and of this code's schema.

    Raises:
        DataError: It is damaged, older or newer than the code, or holds something else.
    """
    with _looking_at(url) as (connection, place):
        if migration.schema_state(connection, place.shown) is not SchemaState.CURRENT:
            raise DataError(
                "not at the newest schema", where=place.shown, remedy=f"xeonperf db upgrade --db {place.shown}"
            )
        if isinstance(place, SqliteFile):
            complaints = [row[0] for row in connection.execute(text("PRAGMA integrity_check")) if row[0] != "ok"]
            complaints += [
                f"row {row[1]} of {row[0]} refers to nothing"
                for row in connection.execute(text("PRAGMA foreign_key_check"))
            ]
            if complaints:
                raise DataError("; ".join(complaints), where=place.shown, remedy="put back a copy of the database")


def upgrade(url: str) -> str:
    """Bring a database to this code's schema; what was done. A SQLite file is copied beside itself before.

    Raises:
        DataError: There is no such file, it is newer than the code, or holds something else.
    """
    with _looking_at(url) as (connection, place):
        state = migration.schema_state(connection, place.shown)
    if state is SchemaState.CURRENT:
        return f"{place.shown} is at revision {schema.REVISION} already"
    copied = ""
    if state is SchemaState.OLDER and isinstance(place, SqliteFile):
        copied = f"; the copy from before is {back_up(place.path)}"
    engine = connect(place)
    try:
        with explained(place.shown):
            migrate(engine, place)
    finally:
        engine.dispose()
    return f"{place.shown} is now at revision {schema.REVISION}{copied}"


def back_up_history(url: str) -> Path:
    """A copy of a SQLite history beside itself.

    Raises:
        UsageError: The history is on a server, which has its own tools for that.
        DataError: There is no such file, or it is no database.
    """
    place = _existing(url)
    if isinstance(place, Server):
        raise UsageError("only a SQLite file can be copied from here", where=place.shown, remedy="use pg_dump")
    return back_up(place.path)


@contextmanager
def _looking_at(url: str) -> Iterator[tuple[Connection, SqliteFile | Server]]:
    place = _existing(url)
    engine = connect(place, readonly=True)
    try:
        with explained(place.shown), engine.begin() as connection:
            yield connection, place
    finally:
        engine.dispose()


def _existing(url: str) -> SqliteFile | Server:
    place = locate(url)
    if isinstance(place, SqliteFile) and not place.path.is_file():
        raise no_history(place.shown)
    return place
