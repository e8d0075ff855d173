"""``xeonperf report``."""

import webbrowser
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_xeonperf.cli.main import xeonperf
from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.records import Amx, Isa, Machine, Remedy, Run, RunState, Unknown
from pytest_xeonperf.store.engine import open_store


@pytest.fixture
def database(tmp_path, monkeypatch) -> Path:
    """Two runs without results, in the folder where the command is called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XEONPERF_DB", raising=False)
    amx = Amx(advertised=False, usable_by_onednn=False, usable_by_inductor=False, remedy=Remedy.NONE, detail="")
    machine = Machine(
        architecture="x86_64",
        cpu_model="a CPU",
        isa=Isa.AVX2,
        amx=amx,
        threads=1,
        physical_cores=1,
        memory_bytes=1 << 30,
        facts=(),
        limits=Unknown(reason="not measured"),
    )
    with open_store(str(tmp_path / "xeonperf.db")) as store:
        for day in (1, 2):
            store.add_run(
                Run(
                    id=f"run-{day}",
                    state=RunState.FINISHED,
                    started_at=f"2026-05-0{day}T14:00:00+00:00",
                    finished_at=f"2026-05-0{day}T14:10:00+00:00",
                    command="pytest --xeonperf",
                    options=(),
                    machine=machine,
                    commit=Unknown(reason="no git here"),
                    results=(),
                )
            )
    return tmp_path / "xeonperf.db"


def report(*arguments: str):
    return CliRunner().invoke(xeonperf, ["report", *arguments])


def test_it_writes_into_reports_and_prints_only_the_path_of_the_first_page(database):
    found = report()
    assert found.exit_code == 0
    assert found.stdout == "reports/index.html\n"
    assert (database.parent / "reports" / "index.html").is_file()


def test_the_verdict_is_about_the_revision_asked_for(database):
    report("latest~1", "-o", "out")
    assert 'href="run-run-1.html">The run with all its evidence' in Path("out/index.html").read_text()


def test_a_history_elsewhere_is_named_with_db(database, tmp_path, monkeypatch):
    (tmp_path / "away").mkdir()
    monkeypatch.chdir(tmp_path / "away")
    assert report("--db", str(database)).exit_code == 0
    assert (tmp_path / "away" / "reports" / "index.html").is_file()


def test_open_shows_the_first_page_in_the_browser(database, monkeypatch):
    shown = []
    monkeypatch.setattr(webbrowser, "open", lambda url: not shown.append(url))
    assert report("--open").stderr == ""
    assert shown == [(database.parent / "reports" / "index.html").as_uri()]


def test_a_machine_without_a_browser_is_told_so_on_stderr(database, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _url: False)
    found = report("--open")
    assert found.exit_code == 0
    assert "open the page by its path" in found.stderr


def test_an_unknown_revision_is_a_usage_error(database):
    assert isinstance(report("nobody").exception, UsageError)


def test_a_folder_without_a_history_is_a_data_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XEONPERF_DB", raising=False)
    assert isinstance(report().exception, DataError)
    assert not (tmp_path / "reports").exists()
