"""What a session shows of itself: a header line, the table at the end, and where things are."""

from __future__ import annotations

import os
from io import StringIO
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_rate

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from pytest_xeonperf.records import Limits, Machine, Run

_WIDEST = 240
"""Also the width where the output is no terminal and nobody set COLUMNS: as `xeonperf show` has it."""


def header(machine: Machine, database: str) -> list[str]:
    """Machine, ISA, threads, database."""
    remedy = "" if machine.amx.remedy == "none" else f" (AMX: {machine.amx.remedy})"
    return [
        f"xeonperf: {machine.cpu_model}, {machine.isa}{remedy}, {machine.threads} threads",
        f"xeonperf history: {database}",
    ]


def limits_line(limits: Limits | Unknown) -> str:
    """The measured limits of the machine, or why there are none."""
    if isinstance(limits, Unknown):
        return f"limits: {limits.reason}"
    return "limits: " + ", ".join(
        (
            f"read {show_rate(limits.read_bytes_per_s, 'B/s')}",
            f"FP32 {show_rate(limits.fp32_flop_per_s, 'FLOP/s')}",
            f"BF16 {show_rate(limits.bf16_flop_per_s, 'FLOP/s')}" + (" (slower)" if limits.bf16_is_slower else ""),
            f"INT8 {show_rate(limits.int8_op_per_s, 'OP/s')}",
        )
    )


def write_table(reporter: pytest.TerminalReporter, run: Run) -> None:
    """The table of all cases, in colour where pytest uses colour, and why those are not green that are not."""
    from rich.console import Console

    from pytest_xeonperf.exchange.table import result_notes, results_table
    from pytest_xeonperf.judge.outlook import rates_line

    told = reporter.isatty or "COLUMNS" in os.environ
    width = min(reporter._tw.fullwidth, _WIDEST) if told else _WIDEST  # noqa: SLF001 - pytest has no public width
    text = StringIO()
    console = Console(
        file=text, width=width, force_terminal=reporter.hasmarkup, no_color=not reporter.hasmarkup, highlight=False
    )
    console.print(results_table(run.results, width=width))
    rates = rates_line(run)
    for line in (*text.getvalue().splitlines(), *result_notes(run.results), *((rates,) if rates else ())):
        reporter.write_line(line)


def write_places(reporter: pytest.TerminalReporter, *, database: str, run_id: str, page: Path | Unknown) -> None:
    """Where the history and the report are."""
    reporter.write_line(f"history: {database} (run {run_id})")
    shown = f"none ({page.reason})" if isinstance(page, Unknown) else page.as_uri()
    reporter.write_line(f"report: {shown}")
