"""``xeonperf db``."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.schema import REVISION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pytest_xeonperf.records import Run


def test_the_revision_is_printed(command_line: Callable, history: Path) -> None:
    said = command_line("db", "current")
    assert (said.exit_code, said.out) == (0, f"{REVISION}\n")
    assert f"wants {REVISION}" in said.err


def test_a_database_that_is_current_needs_no_upgrade(command_line: Callable, history: Path) -> None:
    said = command_line("db", "upgrade")
    assert said.exit_code == 0
    assert f"is at revision {REVISION} already" in said.out
    assert [path.name for path in history.parent.iterdir() if "bak" in path.name] == []


def test_an_empty_file_becomes_a_database(command_line: Callable, tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    path.touch()
    said = command_line("db", "upgrade", "--db", str(path))
    assert said.exit_code == 0
    assert f"is now at revision {REVISION}" in said.out
    assert command_line("db", "check", "--db", str(path)).exit_code == 0


def test_a_sound_database_passes_the_check(command_line: Callable, history: Path) -> None:
    said = command_line("db", "check")
    assert said.exit_code == 0
    assert "sound" in said.out


def test_a_damaged_one_does_not(command_line: Callable, history: Path) -> None:
    with closing(sqlite3.connect(history)) as database, database:
        database.execute("DELETE FROM case_")
    said = command_line("db", "check")
    assert said.exit_code == 4
    assert "refers to nothing" in said.err


def test_a_copy_holds_everything_and_overwrites_nothing(
    command_line: Callable, history: Path, recorded_run: Run
) -> None:
    first, second = command_line("db", "backup").out.strip(), command_line("db", "backup").out.strip()
    assert (first, second) == (f"{history}.bak1", f"{history}.bak2")
    with open_store(second, readonly=True) as store:
        assert store.run(recorded_run.id) == recorded_run


def test_a_server_is_copied_by_its_own_tools(command_line: Callable) -> None:
    said = command_line("db", "backup", "--db", "postgresql://me@host/perf")
    assert said.exit_code == 4
    assert "pg_dump" in said.err


def test_a_history_is_copied_with_what_is_in_each_table_said(
    command_line: Callable, history: Path, tmp_path: Path, recorded_run: Run
) -> None:
    said = command_line("db", "copy", str(history), str(tmp_path / "other.db"))
    assert said.exit_code == 0
    assert "read back the same" in said.err
    assert "run\t1\t" in said.out
    with open_store(str(tmp_path / "other.db"), readonly=True) as store:
        assert store.run(recorded_run.id) == recorded_run
    assert "held the same rows already" in command_line("db", "copy", str(history), str(tmp_path / "other.db")).err


def test_a_history_is_not_copied_over_another(command_line: Callable, history: Path, tmp_path: Path) -> None:
    assert command_line("db", "copy", str(tmp_path / "missing.db"), str(history)).exit_code == 4
    assert command_line("db", "copy", str(history), str(history)).exit_code == 4


def test_every_subcommand_says_when_there_is_no_database(
    command_line: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XEONPERF_DB", raising=False)
    for name in ("upgrade", "current", "check", "backup"):
        for place in ((), ("--db", str(tmp_path / "missing.db"))):
            said = command_line("db", name, *place)
            assert said.exit_code == 4
            assert "no database at" in said.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_refused_by_every_subcommand(command_line: Callable, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("only words " * 100)
    for name in ("upgrade", "current", "check", "backup"):
        said = command_line("db", name, "--db", str(path))
        assert said.exit_code == 4
        assert "not a SQLite database" in said.err
    assert path.read_text() == "only words " * 100
    assert list(tmp_path.iterdir()) == [path]
