"""A history from one database into another, whatever kinds they are: every row, or nothing."""

from __future__ import annotations

import hashlib
import json
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, func, insert, select, text

from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.store import schema
from pytest_xeonperf.store.engine import connect, open_store
from pytest_xeonperf.store.failures import explained
from pytest_xeonperf.store.location import locate
from pytest_xeonperf.store.repository import WRITES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row, Table

_AT_ONCE = 1000
"""Rows that are on their way at a time."""

_DIGEST_BITS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCopy:
    """What a table holds, on both sides.

    Attributes:
        digest: Hexadecimal; the same for the same rows in any order, on any kind of database.
    """

    name: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryCopy:
    """What was copied.

    Attributes:
        was_there: Whether the target held the same rows already, and nothing was written.
    """

    tables: tuple[TableCopy, ...]
    was_there: bool


def copy_history(source: str, target: str) -> HistoryCopy:
    """Copy all of a history, tokens and acceptances too, into an empty database, and read it back.

    What others write into the source meanwhile is not copied; a target on a server is kept from others meanwhile.

    Args:
        source: URL or path of a history of this code's schema; it is only read.
        target: URL or path of a database that is empty, or made, or holds the same rows already.

    Raises:
        UsageError: Both are the same.
        DataError: There is no history, the target holds another, or what was read back is not what was written.
        InfrastructureError: A server cannot be reached, or refuses.
    """
    if locate(source) == locate(target):
        raise UsageError("this is the history itself", where=locate(target).shown, remedy="give another database")
    where = locate(target).shown
    with _reading(source) as reading, _writing(target) as writing:
        was_there = any(
            writing.execute(select(table).limit(1)).first() is not None for table in schema.metadata.sorted_tables
        )
        tables = tuple(
            _found(table, reading) if was_there else _copied(table, reading, writing)
            for table in schema.metadata.sorted_tables
        )
        different = [each.name for each in tables if each != _found(schema.metadata.tables[each.name], writing)]
        if different and was_there:
            raise DataError(
                f"this database holds other rows ({', '.join(different)})", where=where, remedy="give an empty one"
            )
        if different:
            raise DataError(
                f"other rows were read back than were written ({', '.join(different)})",
                where=where,
                remedy="nothing was kept; `xeonperf db check` says whether the source is sound",
            )
        if not was_there:
            _go_on_counting(writing)
    return HistoryCopy(tables=tables, was_there=was_there)


@contextmanager
def _reading(url: str) -> Iterator[Connection]:
    """One look at a history: what is committed meanwhile is not seen."""
    with open_store(url, readonly=True):
        place = locate(url)
    engine = connect(place, readonly=True)
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with ExitStack() as ending:
        ending.callback(engine.dispose)
        ending.enter_context(explained(place.shown))
        yield ending.enter_context(engine.begin())


@contextmanager
def _writing(url: str) -> Iterator[Connection]:
    """One transaction on a history during which nobody else writes."""
    with open_store(url):
        place = locate(url)
    engine = connect(place)
    with ExitStack() as ending:
        ending.callback(engine.dispose)
        ending.enter_context(explained(place.shown))
        connection = ending.enter_context(engine.execution_options(**{WRITES: True}).begin())
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"LOCK TABLE {', '.join(schema.metadata.tables)} IN EXCLUSIVE MODE"))
        yield connection


def _copied(table: Table, reading: Connection, writing: Connection) -> TableCopy:
    digest = _Digest()
    for rows in _parts(table, reading):
        digest.add(rows)
        writing.execute(insert(table), [row._asdict() for row in rows])
    return digest.of(table)


def _found(table: Table, connection: Connection) -> TableCopy:
    digest = _Digest()
    for rows in _parts(table, connection):
        digest.add(rows)
    return digest.of(table)


def _parts(table: Table, connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    query = select(table).order_by(*table.primary_key).execution_options(yield_per=_AT_ONCE)
    yield from connection.execute(query).partitions()


class _Digest:
    """Counts rows and adds up their hashes: databases put text in different orders."""

    def __init__(self) -> None:
        self._rows = 0
        self._sum = 0

    def add(self, rows: Sequence[Row[Any]]) -> None:
        for row in rows:
            # SQLite knows no minus zero
            values = [value + 0.0 if isinstance(value, float) else value for value in row]
            said = json.dumps(values, sort_keys=True, allow_nan=False, default=repr)
            self._sum += int.from_bytes(hashlib.sha256(said.encode()).digest())
        self._rows += len(rows)

    def of(self, table: Table) -> TableCopy:
        return TableCopy(name=table.name, rows=self._rows, digest=f"{self._sum % (1 << _DIGEST_BITS):064x}")


def _go_on_counting(connection: Connection) -> None:
    """Let the next row that asks for a number get one that is free: PostgreSQL counts apart from what was inserted."""
    if connection.dialect.name != "postgresql":
        return
    for table in schema.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and isinstance(column.type, Integer):
            highest = connection.scalar(select(func.max(column)))
            if highest is not None:
                sequence = func.pg_get_serial_sequence(table.name, column.name)
                connection.execute(select(func.setval(sequence, highest)))
