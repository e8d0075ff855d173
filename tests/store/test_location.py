"""Where a history is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.store.location import Server, SqliteFile, find_database, locate


@pytest.mark.parametrize("url", ["/var/perf/x.db", "sqlite:////var/perf/x.db", "sqlite+pysqlite:////var/perf/x.db"])
def test_a_path_and_its_url_mean_the_same_file(url: str) -> None:
    assert locate(url) == SqliteFile(path=Path("/var/perf/x.db"))


def test_a_relative_path_belongs_to_the_current_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate("x.db") == locate("sqlite:///x.db") == SqliteFile(path=tmp_path / "x.db")


def test_the_home_folder_has_its_short_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate("~/x.db") == SqliteFile(path=tmp_path / "x.db")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_a_server_is_reached_by_the_driver_we_name_and_never_shows_its_password(scheme: str) -> None:
    server = locate(f"{scheme}://me:secret@host/perf")
    assert isinstance(server, Server)
    assert server.url.drivername == "postgresql+psycopg"
    assert server.shown == "postgresql+psycopg://me:***@host/perf"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("mysql://host/perf", "no histories in mysql"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
        ("postgresql://host:port/x", "no database URL"),
        ("://x", "no database URL"),
    ],
)
def test_what_we_keep_no_histories_in_is_refused(url: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        locate(url)


def test_the_nearest_history_above_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XEONPERF_DB", raising=False)
    below = tmp_path / "suites" / "deep"
    below.mkdir(parents=True)
    (tmp_path / "xeonperf.db").touch()
    assert find_database(below) == str(tmp_path / "xeonperf.db")
    (tmp_path / "suites" / "xeonperf.db").touch()
    assert find_database(below) == str(tmp_path / "suites" / "xeonperf.db")


def test_the_environment_goes_before_what_lies_about(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "xeonperf.db").touch()
    monkeypatch.setenv("XEONPERF_DB", "postgresql://host/perf")
    assert find_database(tmp_path) == "postgresql://host/perf"


def test_without_a_history_the_reader_learns_how_to_get_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XEONPERF_DB", raising=False)
    with pytest.raises(DataError, match="no database at") as caught:
        find_database(tmp_path)
    assert "pytest --xeonperf suites/" in caught.value.remedy
