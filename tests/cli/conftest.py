"""The command line as a user calls it, and a history to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.cli.main import main
from pytest_xeonperf.exchange import native
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said, and where to."""

    exit_code: int
    out: str
    err: str


@pytest.fixture
def command_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Calls ``xeonperf`` with the given words, errors turned into exit codes as in a shell."""

    def call(*words: str) -> Said:
        monkeypatch.setattr("sys.argv", ["xeonperf", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Said(exit_code=int(ended.value.code or 0), out=captured.out, err=captured.err)

    return call


@pytest.fixture(scope="session")
def recorded_run() -> Run:
    """A run in our own format, as version 1 wrote it: a pass, a crash, an undecided case."""
    return native.loads((Path(__file__).parent / "run.json").read_text())


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recorded_run: Run) -> Path:
    """A database in the current folder, holding the recorded run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XEONPERF_DB", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    path = tmp_path / "xeonperf.db"
    with open_store(str(path)) as store:
        store.add_run(recorded_run)
    return path
