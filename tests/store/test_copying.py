"""A history that moves from one kind of database to another."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, Table, Text, insert, select, update

from pytest_xeonperf.alerts import Alert, AlertSource, AlertState, Direction
from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.judge.alerts import Findings
from pytest_xeonperf.records import Acceptance, Estimate, Unknown
from pytest_xeonperf.store import copying, schema
from pytest_xeonperf.store.copying import TableCopy, copy_history
from pytest_xeonperf.store.engine import connect, open_store
from pytest_xeonperf.store.identity import new_run_id
from pytest_xeonperf.store.location import locate
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from pytest_xeonperf.records import Result, Run


@pytest.fixture
def full(make_history: Callable[[str], str], make_run: Callable[..., Run], timed: Result) -> str:
    """A history in a file with something in every table."""
    url, run = make_history("sqlite"), make_run()
    with open_store(url) as store:
        store.add_run(run)
        store.add_run(replace(run, id=new_run_id(), results=(timed,)))
        store.create_token("nightly", [Scope.INGEST])
        store.accept([_accepted(run)])
        alert = _alert(run)
        store.raise_alerts(alert.case, alert.comparability_class, lambda _known: Findings(raised=(alert,)))
    return url


def _alert(run: Run) -> Alert:
    return Alert(
        id="3f9a1c0b77de",
        case=run.results[0].case,
        comparability_class=run.machine.comparability_class,
        source=AlertSource.GATE,
        direction=Direction.SLOWER,
        latency_ratio=1.1,
        speed=Estimate(ratio=0.91, low_ratio=0.9, high_ratio=0.92, confidence=0.95),
        before_ns=10_000_000,
        after_ns=11_000_000,
        run_id=Unknown(reason="a gate's"),
        fingerprint=Unknown(reason="a gate's"),
        since="2026-09-02T10:00:00+00:00",
        sha_before="a" * 40,
        sha_after="b" * 40,
        raised_at="2026-09-02T10:00:00+00:00",
        state=AlertState.NEW,
        assignee="",
        note="",
        issue_url="",
        recovered_run_id=Unknown(reason="the latency is not back"),
    )


def _accepted(run: Run) -> Acceptance:
    return Acceptance(
        case=run.results[0].case,
        run_id=run.id,
        accepted_at="2026-09-02T10:00:00+00:00",
        accepted_by="somebody",
        reason="scales stay in FP32 since #41",
    )


def _everything(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = connect(locate(url))
    with engine.begin() as connection:
        rows = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in schema.metadata.sorted_tables
        }
    engine.dispose()
    return rows


def test_every_table_arrives_and_comes_back(full: str, migrated: str, make_history: Callable[[str], str]) -> None:
    there, back = copy_history(full, migrated), make_history("sqlite")
    assert copy_history(migrated, back).tables == there.tables
    assert _everything(full) == _everything(migrated) == _everything(back)
    held = {table.name for table in there.tables if table.rows}
    assert {
        "run",
        "result",
        "sample",
        "timing",
        "measurement",
        "verdict",
        "token",
        "acceptance",
        "alert",
        "alert_event",
    } <= held


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_history_comes_back_as_it_went(
    kind: str, make_history: Callable[[str], str], any_run: st.SearchStrategy[Run], data: st.DataObject
) -> None:
    runs = data.draw(st.lists(any_run, max_size=2))
    first, middle, last = make_history("sqlite"), make_history(kind), make_history("sqlite")
    with open_store(first) as store:
        for run in runs:
            store.add_run(run)
    assert copy_history(first, middle).tables == copy_history(middle, last).tables
    for url in (middle, last):
        with open_store(url, readonly=True) as store:
            assert all(store.run(run.id) == run for run in runs)


def test_what_comes_after_a_copy_gets_numbers_of_its_own(
    full: str, migrated: str, make_run: Callable[..., Run]
) -> None:
    copy_history(full, migrated)
    run = make_run()
    with open_store(migrated) as store:
        assert store.add_run(run)
        assert store.run(run.id) == run


def test_an_empty_history_can_be_copied_and_then_begun(
    make_history: Callable[[str], str], migrated: str, make_run: Callable[..., Run]
) -> None:
    assert not any(table.rows for table in copy_history(make_history("sqlite"), migrated).tables)
    with open_store(migrated) as store:
        assert store.add_run(make_run())


def test_a_copy_that_is_made_again_writes_nothing(full: str, migrated: str) -> None:
    assert not copy_history(full, migrated).was_there
    again = copy_history(full, migrated)
    assert again.was_there
    assert _everything(full) == _everything(migrated)


def test_a_database_that_holds_other_rows_is_left_alone(full: str, migrated: str, make_run: Callable[..., Run]) -> None:
    with open_store(migrated) as store:
        store.add_run(make_run())
    before = _everything(migrated)
    with pytest.raises(DataError, match=r"holds other rows \(.*run.*\)"):
        copy_history(full, migrated)
    assert _everything(migrated) == before


def test_a_copy_with_one_figure_changed_is_not_taken_for_the_same(full: str, migrated: str) -> None:
    copy_history(full, migrated)
    engine = connect(locate(migrated))
    with engine.begin() as connection:
        connection.execute(update(schema.sample).where(schema.sample.c.position == 1).values(candidate_ns=1))
    engine.dispose()
    with pytest.raises(DataError, match=r"holds other rows \(sample\)"):
        copy_history(full, migrated)


def test_a_copy_that_breaks_off_leaves_nothing(full: str, migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(copying._Digest):
        def of(self, table: Table) -> TableCopy:
            if table is schema.sample:
                raise OSError("the connection is gone")
            return super().of(table)

    monkeypatch.setattr(copying, "_Digest", Broken)
    with pytest.raises(OSError, match="is gone"):
        copy_history(full, migrated)
    assert not any(_everything(migrated).values())


def test_rows_that_a_database_changes_on_the_way_are_found_out(full: str, make_history: Callable[[str], str]) -> None:
    target = make_history("sqlite")
    with closing(sqlite3.connect(target)) as other:
        other.execute("CREATE TRIGGER meddler AFTER INSERT ON token BEGIN UPDATE token SET name = 'another'; END")
    with pytest.raises(DataError, match=r"other rows were read back .*\(token\)"):
        copy_history(full, target)
    assert not any(_everything(target).values())


@pytest.fixture
def one_table_more() -> Iterator[Table]:
    """A table that a later version may have, referring to a run, with numbers of its own."""
    table = Table(
        "later",
        schema.metadata,
        Column("id", Integer, primary_key=True),
        Column("run_id", Text, schema.ForeignKey("run.id"), nullable=False),
    )
    yield table
    schema.metadata.remove(table)


def test_tables_of_later_versions_are_copied_without_being_named(
    full: str, kind: str, database: str, one_table_more: Table
) -> None:
    for url in (full, database):
        with open_store(url):
            engine = connect(locate(url))
        one_table_more.create(engine)
        engine.dispose()
    engine = connect(locate(full))
    with engine.begin() as connection:
        run_id = connection.scalar(select(schema.run.c.id).limit(1))
        connection.execute(insert(one_table_more), [{"id": 7, "run_id": run_id}])
    engine.dispose()
    copy_history(full, database)
    assert _everything(database)["later"] == [(7, run_id)]
    engine = connect(locate(database))
    with engine.begin() as connection:
        connection.execute(insert(one_table_more), [{"run_id": run_id}])
        assert set(connection.scalars(select(one_table_more.c.id))) == {7, 8}
    engine.dispose()


def test_what_is_written_into_the_source_meanwhile_is_left_out(
    migrated: str, make_history: Callable[[str], str], make_run: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, another = make_history("sqlite"), make_run()
    with open_store(migrated) as store:
        store.add_run(make_run())
        copied_before = copying._copied

        def copied(table: Table, *connections: Connection) -> TableCopy:
            done = copied_before(table, *connections)
            if table is schema.metadata.sorted_tables[0]:
                store.add_run(another)
            return done

        monkeypatch.setattr(copying, "_copied", copied)
        rows = {table.name: table.rows for table in copy_history(migrated, target).tables}
        assert len(store.runs()) == 2
    assert (rows["run"], rows["result"]) == (1, 2)


def test_a_history_is_not_copied_onto_itself(full: str) -> None:
    with pytest.raises(UsageError, match="the history itself"):
        copy_history(full, f"sqlite:///{full}")


def test_only_a_history_is_copied(tmp_path: Path, migrated: str) -> None:
    with pytest.raises(DataError, match="no database at"):
        copy_history(str(tmp_path / "missing.db"), migrated)
