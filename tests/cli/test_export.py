"""``xeonperf export``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange import native

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_xeonperf.records import Run


def test_our_own_format_goes_to_stdout_and_can_be_read_back(
    command_line: Callable, history: Path, recorded_run: Run
) -> None:
    said = command_line("export")
    assert (said.exit_code, said.err) == (0, "")
    assert native.loads(said.out) == recorded_run


def test_pytest_benchmarks_format_can_be_written_to_a_file(command_line: Callable, history: Path) -> None:
    target = history.parent / "run.json"
    said = command_line("export", "latest", "--format", "pytest-benchmark", "-o", str(target))
    assert (said.exit_code, said.out) == (0, "")
    assert len(json.loads(target.read_text())["benchmarks"]) == 2


def test_metrics_can_be_written_for_a_collector_of_text_files(command_line: Callable, history: Path) -> None:
    target = history.parent / "xeonperf.prom"
    assert command_line("export", "--format", "openmetrics", "-o", str(target)).exit_code == 0
    said = target.read_text()
    assert "# TYPE xeonperf_run_info gauge" in said
    assert said.endswith("# EOF\n")


def test_an_unknown_format_is_answered_with_the_known_ones(command_line: Callable, history: Path) -> None:
    said = command_line("export", "--format", "xml")
    assert said.exit_code != 0
    assert "pytest-benchmark" in said.err


def test_a_file_that_cannot_be_written_is_an_error_in_words(command_line: Callable, history: Path) -> None:
    said = command_line("export", "-o", str(history.parent / "nowhere" / "run.json"))
    assert said.exit_code == 4
    assert "cannot be written: No such file or directory" in said.err
