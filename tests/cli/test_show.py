"""``xeonperf show``."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pytest_xeonperf.records import Run


def test_the_newest_run_is_shown_with_what_it_ran_on(command_line: Callable, history: Path, recorded_run: Run) -> None:
    said = command_line("show")
    assert said.exit_code == 0
    assert said.err == ""
    run, machine, commit, blank, head, passed, crashed, undecided, *notes = said.out.splitlines()
    assert recorded_run.id in run
    assert "Platinum 8488C, amx_bf16, 2 threads" in machine
    assert commit == "commit 0f0f0f0f0f on main: Faster"
    assert blank == ""
    assert head.split()[-1] == "verdict"
    assert "3.50x [3.40, 3.60]" in passed
    assert [line.split()[-1] for line in (passed, crashed, undecided)] == ["PASS", "CRASHED", "INCONCLUSIVE"]
    assert notes[0].endswith(": died of SIGSEGV")


def test_the_json_is_all_that_is_on_stdout(command_line: Callable, history: Path, recorded_run: Run) -> None:
    said = command_line("show", "latest", "--json")
    document = json.loads(said.out)
    assert (said.exit_code, said.err) == (0, "")
    assert document["schema"] == "xeonperf-show/1"
    assert [case["verdict"] for case in document["cases"]] == ["PASS", "CRASHED", "INCONCLUSIVE"]


def test_a_history_elsewhere_is_named(command_line: Callable, history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = history.rename(history.parent / "other.db")
    assert command_line("show", "--db", str(moved)).exit_code == 0
    assert command_line("show", "main", "--db", f"sqlite:///{moved}").exit_code == 0
    assert command_line("show").exit_code == 4
    monkeypatch.setenv("XEONPERF_DB", str(moved))
    assert command_line("show").exit_code == 0


def test_without_a_history_the_way_to_one_is_shown(
    command_line: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XEONPERF_DB", raising=False)
    said = command_line("show")
    assert (said.exit_code, said.out) == (4, "")
    assert "no database at" in said.err
    assert "run `pytest --xeonperf suites/` first" in said.err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_revision_lists_what_there_is(command_line: Callable, history: Path, recorded_run: Run) -> None:
    said = command_line("show", "nightly")
    assert said.exit_code == 4
    assert "no run, commit or branch 'nightly'" in said.err
    assert recorded_run.id in said.err


def test_a_tag_of_the_repository_here_is_a_revision(
    command_line: Callable, history: Path, recorded_run: Run, git: Callable[..., str]
) -> None:
    for words in (("init", "--quiet"), ("commit", "--quiet", "--allow-empty", "-m", "x"), ("tag", "v1.0")):
        git(history.parent, *words)
    sha = git(history.parent, "rev-parse", "HEAD")
    tagged = replace(recorded_run, id="tagged", command="x", commit=replace(recorded_run.commit, sha=sha), results=())
    with open_store(str(history)) as store:
        store.add_run(replace(tagged, started_at="2020-01-01T00:00:00+00:00"))
    assert "run tagged" in command_line("show", "v1.0").out
    assert command_line("show", "v2.0").exit_code == 4


def test_a_narrow_terminal_gets_a_narrow_table(
    command_line: Callable, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    table = command_line("show").out.splitlines()[4:8]
    assert table[0].split() == ["case", "variant", "speed-up", "floor", "verdict"]
    assert max(map(len, table)) <= 80
