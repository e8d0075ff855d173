"""What a database says when it refuses, in words a person can act on."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError, StatementError

from pytest_xeonperf.errors import DataError, InfrastructureError, XeonPerfError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SQLITE_FAILURES: tuple[tuple[str, type[XeonPerfError], str, str], ...] = (
    ("SQLITE_NOTADB", DataError, "the file is not a SQLite database", "give another --db, or move the file away"),
    ("SQLITE_CORRUPT", DataError, "the database is damaged", "put back a copy; `sqlite3 FILE .recover` saves the rest"),
    ("SQLITE_READONLY", DataError, "the database is read-only", "make file and folder writable, or give another --db"),
    ("SQLITE_CANTOPEN", DataError, "the database cannot be opened", "make its folder readable and writable"),
    ("SQLITE_BUSY", InfrastructureError, "another process keeps the database locked", "let it end, then try again"),
    ("SQLITE_FULL", InfrastructureError, "there is no space left for the database", "free some, then try again"),
)


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn a driver's error inside the block into one of ours; the driver's stays its cause.

    Raises:
        DataError: The database is not what it should be.
        InfrastructureError: Anything else that the database refuses.
    """
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _explain(error, where) from error


def _explain(error: SQLAlchemyError | sqlite3.Error, where: str) -> XeonPerfError:
    cause = error.orig if isinstance(error, StatementError) else error
    if isinstance(cause, XeonPerfError):
        return cause  # ours, from a column type
    code = getattr(cause, "sqlite_errorname", "")
    for known, kind, what, remedy in _SQLITE_FAILURES:
        if code.startswith(known):
            return kind(what, where=where, remedy=remedy)
    said = str(cause).strip() or type(cause).__name__
    return InfrastructureError(f"the database refused: {said}", where=where, remedy="check the server and the URL")
