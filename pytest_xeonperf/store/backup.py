"""A copy of a SQLite history beside itself, consistent also while others write."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING

from pytest_xeonperf.store.failures import explained

if TYPE_CHECKING:
    from pathlib import Path


def back_up(path: Path) -> Path:
    """The copy: ``NAME.bak1``, or the next number that is free; nothing is overwritten.

    Raises:
        DataError: The file is no database, or its folder cannot be written.
    """
    with explained(str(path)), closing(sqlite3.connect(path)) as source:
        source.execute("PRAGMA schema_version")  # refuses what is no database before a copy is begun
        copy = _claim(path)
        with closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    return copy


def _claim(path: Path) -> Path:
    """A new empty file that no other process can take for its own copy."""
    for number in count(1):
        copy = path.with_name(f"{path.name}.bak{number}")
        try:
            copy.touch(exist_ok=False)
        except FileExistsError:
            continue
        return copy
    raise AssertionError  # count() does not end
