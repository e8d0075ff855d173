"""Opening a history: what is refused, in which words, and that nothing is harmed by it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError
from pytest_xeonperf.store import engine
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.records import Run

NOBODY = 65534


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database, only words, " * 200)
    with pytest.raises(DataError, match=r"notes\.txt: the file is not a SQLite database"), open_store(str(path)):
        pass
    assert path.read_text() == "no database, only words, " * 200


@pytest.mark.parametrize("readonly", [True, False])
def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path, *, readonly: bool) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(DataError, match="tables of something else"), open_store(str(path), readonly=readonly):
        pass
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="missing does not exist"), open_store(str(tmp_path / "missing" / "x.db")):
        pass


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this is a folder"), open_store(str(tmp_path)):
        pass


def test_reading_makes_no_database(tmp_path: Path) -> None:
    path = tmp_path / "xeonperf.db"
    with (
        pytest.raises(DataError, match=r"no database at .*xeonperf\.db") as caught,
        open_store(str(path), readonly=True),
    ):
        pass
    assert "pytest --xeonperf suites/" in caught.value.remedy
    assert not path.exists()


def test_an_empty_file_has_nothing_to_read_but_can_be_begun(tmp_path: Path) -> None:
    path = tmp_path / "xeonperf.db"
    path.touch()
    with pytest.raises(DataError, match="no database at"), open_store(str(path), readonly=True):
        pass
    with open_store(str(path)) as store:
        assert store.runs() == ()


def test_a_read_only_file_can_be_read_but_not_written(make_run: Callable[..., Run]) -> None:
    with _public_folder() as folder:
        path, run = folder / "xeonperf.db", make_run()
        with open_store(str(path)) as store:
            store.add_run(run)
        path.chmod(0o444)
        with _unprivileged():
            with pytest.raises(DataError, match="read-only") as caught, open_store(str(path)):
                pass
            assert "--db" in caught.value.remedy
            with open_store(str(path), readonly=True) as store:
                assert store.run(run.id) == run


def test_what_somebody_else_is_writing_is_read_though_it_is_still_in_their_log(make_run: Callable[..., Run]) -> None:
    with _public_folder() as folder:
        path, run = folder / "xeonperf.db", make_run()
        with open_store(str(path)):
            pass
        before = path.read_bytes()
        with open_store(str(path)) as theirs:
            theirs.add_run(run)
            assert path.read_bytes() == before  # it is in the log alone
            with _unprivileged(), open_store(str(path), readonly=True) as store:
                assert store.run(run.id) == run
                theirs.add_run(make_run())
                assert len(store.runs()) == 2


def test_a_folder_without_the_right_to_write_is_refused_in_words() -> None:
    with _public_folder() as folder, _unprivileged():
        with pytest.raises(DataError, match="cannot be opened") as caught, open_store(str(folder / "xeonperf.db")):
            pass
        assert "writable" in caught.value.remedy


def test_a_store_opened_to_read_refuses_to_write(tmp_path: Path, make_run: Callable[..., Run]) -> None:
    path = str(tmp_path / "xeonperf.db")
    with open_store(path):
        pass
    with open_store(path, readonly=True) as store, pytest.raises(DataError, match="read-only"):
        store.add_run(make_run())


def test_a_locked_database_is_waited_for_and_then_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "xeonperf.db"
    with open_store(str(path)):
        pass
    monkeypatch.setattr(engine, "_BUSY_TIMEOUT_MS", 50)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InfrastructureError, match="keeps the database locked"), open_store(str(path)):
            pass
        with open_store(str(path), readonly=True) as store:
            assert store.runs() == ()


def test_a_path_with_odd_characters_is_still_a_path(tmp_path: Path, make_run: Callable[..., Run]) -> None:
    folder = tmp_path / "a b%41?mode=ro#x"
    folder.mkdir()
    run = make_run()
    with open_store(str(folder / "xeonperf.db")) as store:
        store.add_run(run)
    with open_store(f"{folder}/xeonperf.db", readonly=True) as store:
        assert store.resolve("latest") == run.id
    assert (folder / "xeonperf.db").is_file()


def test_without_the_driver_the_command_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UsageError) as caught, open_store("postgresql://somebody:secret@localhost/perf"):
        pass
    assert caught.value.remedy == "pip install 'pytest-xeonperf[postgresql]'"
    assert "secret" not in str(caught.value)


def test_a_server_that_is_not_there_is_an_infrastructure_error() -> None:
    pytest.importorskip("psycopg")
    url = "postgresql://somebody:secret@127.0.0.1:9/perf?connect_timeout=2"
    with pytest.raises(InfrastructureError) as caught, open_store(url):
        pass
    assert "secret" not in str(caught.value)


@contextmanager
def _public_folder() -> Iterator[Path]:
    """A folder that everybody may enter: pytest's own are for the user alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@contextmanager
def _unprivileged() -> Iterator[None]:
    """Somebody whom file permissions stop, if the tests are run by root; the owner's right to write goes too."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
