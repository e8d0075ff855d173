"""Bringing a database to the schema of this code, or saying why it cannot be."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.store import schema
from pytest_xeonperf.store.schema import REVISION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"
"""Alembic's folder, shipped with the package."""

_LOCK = 0x58656F6E50657266  # any number of our own, the same in every session


class SchemaState(Enum):
    """How a database stands to this code."""

    EMPTY = "empty"
    CURRENT = "current"
    OLDER = "older"


def schema_state(connection: Connection, where: str) -> SchemaState:
    """How the database stands to this code.

    Raises:
        DataError: It is newer than the code, or holds something else.
    """
    found = current_revision(connection)
    if found == schema.REVISION:
        return SchemaState.CURRENT
    if not found:
        if {*inspect(connection).get_table_names()} - {REVISION_TABLE}:  # which stays when all else is taken down
            raise DataError(
                "this database holds tables of something else", where=where, remedy="give a database of its own"
            )
        return SchemaState.EMPTY
    if found in _known_revisions(connection):
        return SchemaState.OLDER
    raise DataError(
        f"this database is at revision {found}; this version of pytest-xeonperf knows those up to {schema.REVISION}",
        where=where,
        remedy="it was written by a newer version: pip install --upgrade pytest-xeonperf",
    )


def current_revision(connection: Connection) -> str:
    """The revision a database is at; empty if it has none."""
    if not inspect(connection).has_table(REVISION_TABLE):
        return ""
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {REVISION_TABLE}"))  # noqa: S608 - our name
    return found or ""


def upgrade(connection: Connection) -> None:
    """Migrate to `schema.REVISION` within the transaction that is open on the connection: wholly or not at all."""
    from alembic import command

    if connection.dialect.name == "postgresql":
        # Two sessions may meet at an empty database: the second waits here and then finds it done.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    command.upgrade(_config(connection), schema.REVISION)


def _known_revisions(connection: Connection) -> frozenset[str]:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config(connection))
    return frozenset(script.revision for script in scripts.walk_revisions())


def _config(connection: Connection) -> Config:
    """Alembic's settings, made here: nothing is read from the user's folder."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
