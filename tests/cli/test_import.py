"""``xeonperf import``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import RunState
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_xeonperf.records import Run

OTHER = "0199ffff-0000-7000-8000-000000000001"


def test_what_was_exported_is_imported_the_same_and_once(
    command_line: Callable, history: Path, recorded_run: Run, tmp_path: Path
) -> None:
    elsewhere, file, other = (str(tmp_path / name) for name in ("elsewhere.db", "run.json", "other.json"))
    assert command_line("export", "-o", file).exit_code == 0
    second = replace(recorded_run, id=OTHER)
    (tmp_path / "other.json").write_text(native.dumps(second))
    said = command_line("import", file, other, "--db", elsewhere)
    assert (said.exit_code, said.out) == (0, "")
    assert said.err == f"run {recorded_run.id} added\nrun {OTHER} added\n"
    assert f"run {OTHER} was there already" in command_line("import", file, other, "--db", elsewhere).err
    with open_store(elsewhere) as store:
        assert [store.run(run.id) for run in (recorded_run, second)] == [recorded_run, second]
        assert len(store.runs()) == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"", "no JSON"),
        (b"\xff", "no UTF-8"),
        (b"[" * 100_000, "no JSON"),
        (b'{"schema": "xeonperf/9"}', "the schema is 'xeonperf/9'"),
        ({"id": "latest"}, "is no id of a run"),
        ({"id": OTHER, "state": RunState.INTERRUPTED}, "not finished"),
        ({"id": OTHER, "command": "a\0b"}, "NUL"),
        ({"command": "pytest --xeonperf edited/"}, "there is another run"),
    ],
)
def test_what_a_service_would_refuse_is_refused_and_the_rest_is_added(
    command_line: Callable, history: Path, recorded_run: Run, text: bytes | dict[str, str], complaint: str
) -> None:
    bad, good = history.with_name("bad.json"), history.with_name("good.json")
    bad.write_bytes(text if isinstance(text, bytes) else native.dumps(replace(recorded_run, **text)).encode())
    good.write_text(native.dumps(replace(recorded_run, id=OTHER.replace("1", "2"))))
    said = command_line("import", str(bad), str(good))
    assert said.exit_code == 4
    assert f"{bad} was not imported" in said.err
    assert complaint in said.err
    assert "added" in said.err
    with open_store(str(history)) as store:
        assert len(store.runs()) == 2
        assert store.run(recorded_run.id) == recorded_run


def test_a_slow_down_in_what_was_imported_is_told(
    command_line: Callable, history: Path, recorded_run: Run, slow_down: Callable, tmp_path: Path
) -> None:
    with open_store(str(tmp_path / "elsewhere.db")) as store:
        runs = slow_down(store, recorded_run)
    files = [tmp_path / f"{run.id}.json" for run in runs]
    for file, run in zip(files, runs, strict=True):
        file.write_text(native.dumps(run))
    assert "alerts: 1 new" in command_line("import", *map(str, files)).err


def test_a_file_that_is_not_there_is_a_fault_of_usage(command_line: Callable, history: Path) -> None:
    assert command_line("import", "nowhere.json").exit_code == 4
