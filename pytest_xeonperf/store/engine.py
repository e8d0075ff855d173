"""Opening a history: `open_store` gives a `Store` on a database that is there, readable and of this schema."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, create_engine, event

from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.store import migration
from pytest_xeonperf.store.backup import back_up
from pytest_xeonperf.store.failures import explained
from pytest_xeonperf.store.location import Server, SqliteFile, locate, no_history
from pytest_xeonperf.store.migration import SchemaState
from pytest_xeonperf.store.repository import WRITES, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from sqlite3 import Connection as SqliteConnection

    from sqlalchemy import Connection, Engine

_BUSY_TIMEOUT_MS = 60_000


@contextmanager
def open_store(url: str, *, readonly: bool = False) -> Iterator[Store]:
    """A history for the length of a ``with`` block; made where there is none, unless only reading.

    A SQLite file of an older schema is copied beside itself and upgraded; a server's is left to its administrator.

    Args:
        url: A SQLAlchemy URL of SQLite or PostgreSQL, or the path of a SQLite file.
        readonly: Change nothing, also where the folder cannot be written.

    Raises:
        UsageError: The URL cannot be meant, or the driver is not installed.
        DataError: Not a database, not writable, of another program, of a newer schema, or nothing there to read.
        InfrastructureError: The server cannot be reached, or another process kept the file locked.
    """
    place = locate(url)
    _check_folder(place, readonly=readonly)
    engine = connect(place, readonly=readonly)
    try:
        with explained(place.shown):
            _make_ready(engine, place, readonly=readonly)
        yield Store(engine, where=place.shown)
    finally:
        engine.dispose()


def connect(place: SqliteFile | Server, *, readonly: bool = False) -> Engine:
    """An engine on the place, whatever is there.

    Raises:
        UsageError: The PostgreSQL driver is not installed.
    """
    if isinstance(place, SqliteFile):
        return _connect_sqlite(place, readonly=readonly)
    try:
        return create_engine(place.url, pool_pre_ping=True)  # the server may have been restarted
    except ModuleNotFoundError as error:
        raise UsageError(
            f"PostgreSQL needs the package {error.name}",
            where=place.shown,
            remedy="pip install 'pytest-xeonperf[postgresql]'",
        ) from error


def _connect_sqlite(place: SqliteFile, *, readonly: bool) -> Engine:
    query = {"uri": "true", "mode": "ro" if readonly else "rwc"}
    if readonly and not _can_change(place.path):
        query["immutable"] = "1"  # WAL wants to put files beside the database even to read it
    engine = create_engine(URL.create("sqlite", database=f"file:{quote(str(place.path))}", query=query))

    @event.listens_for(engine, "connect")
    def prepare(connection: SqliteConnection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin below, where we say how
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA foreign_keys = ON")
        if not readonly:
            connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its lock at once: one that began by reading could be refused it later, without any waiting.
        writes: Any = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _can_change(path: Path) -> bool:
    """Whether a database may become another one: we may write beside it, or somebody does and has a log there.

    What is in such a log is read from it. Taken for immutable, the file would lack that, and change under the reader.
    """
    return os.access(path.parent, os.W_OK, effective_ids=True) or path.with_name(f"{path.name}-wal").exists()


def _check_folder(place: SqliteFile | Server, *, readonly: bool) -> None:
    if isinstance(place, Server):
        return
    if place.path.is_dir():
        raise DataError("this is a folder", where=place.shown, remedy="give the path of a database file")
    if readonly and not place.path.exists():
        raise no_history(place.shown)
    if not place.path.parent.is_dir():
        raise DataError(
            f"the folder {place.path.parent} does not exist", where=place.shown, remedy="make it, or give another --db"
        )


def _make_ready(engine: Engine, place: SqliteFile | Server, *, readonly: bool) -> None:
    with engine.begin() as connection:
        state = migration.schema_state(connection, place.shown)
    if state is SchemaState.OLDER and (readonly or isinstance(place, Server)):
        raise DataError(
            "this database is of an older schema",
            where=place.shown,
            remedy=f"xeonperf db upgrade --db {place.shown}",
        )
    if state is SchemaState.EMPTY and readonly:
        raise no_history(place.shown)
    if readonly or (state is SchemaState.CURRENT and isinstance(place, Server)):
        return
    if state is SchemaState.OLDER and isinstance(place, SqliteFile):
        back_up(place.path)
    migrate(engine, place)


def migrate(engine: Engine, place: SqliteFile | Server) -> None:
    """Bring the database to this schema, or just find that it can be written where it is already.

    Raises:
        DataError: It is newer than the code, or holds something else.
    """
    with engine.execution_options(**{WRITES: True}).connect() as connection:
        if isinstance(place, SqliteFile):
            _let_tables_be_copied(connection)
        with connection.begin():
            if migration.schema_state(connection, place.shown) is not SchemaState.CURRENT:
                migration.upgrade(connection)


def _let_tables_be_copied(connection: Connection) -> None:
    """Foreign keys off for this connection: SQLite alters a table by copying it and dropping the original."""
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("PRAGMA legacy_alter_table = ON")  # views that people have made may look at the table meanwhile
    connection.detach()  # it does not go back to the pool
