"""``xeonperf push`` while the service is away, and when it is there again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.ci import box
from pytest_xeonperf.ci.box import keep, outbox
from pytest_xeonperf.ci.delivery import PassedOverError
from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import RunState
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_xeonperf.records import Run

NOBODY = "http://127.0.0.1:9"
LATER = "0199ffff-0000-7000-8000-00000000000{}"


@pytest.fixture
def two(history: Path, recorded_run: Run) -> tuple[Run, Run]:
    """Two runs of the history in the current folder, the older one first."""
    runs = [replace(recorded_run, id=LATER.format(number)) for number in (1, 2)]
    with open_store(str(history)) as store:
        for run in runs:
            store.add_run(run)
    return runs[0], runs[1]


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A history elsewhere that a service can be had over, and its token in the environment."""
    path = tmp_path / "shared.db"
    with open_store(str(path)) as store:
        monkeypatch.setenv("XEONPERF_TOKEN", store.create_token("nightly", [Scope.INGEST])[1])
    return path


def waiting(folder: Path, url: str) -> list[str]:
    return sorted(path.stem for path in outbox(folder, url).glob("*.json"))


def test_a_run_for_a_service_that_is_away_is_kept_and_goes_before_the_next_one(
    *,
    command_line: Callable,
    two: tuple[Run, Run],
    shared: Path,
    serving: Callable,
    free_port: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older, newer = two
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    away = command_line("push", older.id, "--to", url)
    assert away.exit_code == 3
    assert "no answer of a service" in away.err
    assert f"run {older.id} is kept in {outbox(shared.parent, url)}" in away.err
    below = shared.parent / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    again = command_line("push", newer.id, "--to", url)
    assert (again.exit_code, "1 run kept in" in again.err) == (3, True)
    assert waiting(shared.parent, url) == [older.id, newer.id]
    with serving(shared, port):
        there = command_line("push", newer.id, "--to", url)
    assert there.exit_code == 0
    assert "pushed 2 runs that had waited" in there.err
    assert f"run {newer.id} was there already" in there.err
    assert waiting(shared.parent, url) == []
    with open_store(str(shared), readonly=True) as store:
        assert [store.run(run.id) for run in two] == list(two)
        assert len(store.runs()) == 2


def test_what_waits_can_be_sent_alone(
    command_line: Callable, two: tuple[Run, Run], shared: Path, serving: Callable
) -> None:
    with serving(shared) as url:
        keep(outbox(shared.parent, url), two[0].id, native.dumps(two[0]))
        said = command_line("push", "--waiting", "--to", url)
        assert (said.exit_code, said.err) == (0, "pushed 1 run that had waited\n")
        assert command_line("push", "--waiting", "--to", url).err == "no run waits\n"
        keep(outbox(shared.parent, url), two[1].id, "no run at all")
        refused = command_line("push", "--waiting", "--to", url)
    assert (refused.exit_code, "put aside" in refused.err) == (4, True)
    with open_store(str(shared), readonly=True) as store:
        assert [run.id for run in store.runs()] == [two[0].id]


def test_a_run_that_does_not_get_through_keeps_no_other_one_waiting(
    *,
    command_line: Callable,
    two: tuple[Run, Run],
    shared: Path,
    serving: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise PassedOverError("the service says 408: the body comes too slowly")

    monkeypatch.setattr(box, "deliver", refuse)
    with serving(shared) as url:
        keep(outbox(shared.parent, url), two[0].id, native.dumps(two[0]))
        said = command_line("push", two[1].id, "--to", url)
        assert (said.exit_code, f"run {two[1].id} added" in said.err) == (0, True)
        assert "says 408" in said.err
        assert waiting(shared.parent, url) == [two[0].id]
        alone = command_line("push", "--waiting", "--to", url)
    assert (alone.exit_code, "says 408" in alone.err) == (3, True)


def test_waiting_runs_stay_while_nobody_answers(command_line: Callable, two: tuple[Run, Run], tmp_path: Path) -> None:
    keep(outbox(tmp_path, NOBODY), two[0].id, native.dumps(two[0]))
    said = command_line("push", "--waiting", "--to", NOBODY)
    assert (said.exit_code, "no answer of a service" in said.err) == (3, True)
    assert waiting(tmp_path, NOBODY) == [two[0].id]


def test_a_token_that_is_not_good_keeps_no_run(command_line: Callable, history: Path, monkeypatch: object) -> None:
    monkeypatch.setenv("XEONPERF_TOKEN", "two words")
    assert command_line("push", "--to", NOBODY).exit_code == 4
    assert waiting(history.parent, NOBODY) == []


@pytest.mark.parametrize("words", [["latest"], ["--db", "xeonperf.db"]])
def test_waiting_runs_are_of_no_revision(command_line: Callable, history: Path, words: list[str]) -> None:
    said = command_line("push", *words, "--waiting", "--to", NOBODY)
    assert (said.exit_code, "--waiting sends no other run" in said.err) == (4, True)


@pytest.mark.parametrize("state", [RunState.INTERRUPTED, RunState.RUNNING])
def test_a_run_that_may_go_on_is_neither_sent_nor_kept(
    command_line: Callable, history: Path, recorded_run: Run, state: RunState
) -> None:
    with open_store(str(history)) as store:
        store.add_run(replace(recorded_run, id=LATER.format(3), state=state))
    said = command_line("push", LATER.format(3), "--to", NOBODY)
    assert said.exit_code == 4
    assert f"is {state}, and a service takes a run once" in said.err
    assert "--xeonperf-resume" in said.err
    assert waiting(history.parent, NOBODY) == []


def test_a_run_that_cannot_be_kept_is_told(command_line: Callable, history: Path) -> None:
    (history.parent / ".xeonperf").write_text("a file")
    said = command_line("push", "--to", NOBODY)
    assert (said.exit_code, "cannot be kept" in said.err) == (3, True)
