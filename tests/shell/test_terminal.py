from dataclasses import replace
from pathlib import Path

import pytest

from pytest_xeonperf.records import Limits, Remedy, Unknown
from pytest_xeonperf.shell import terminal


class Reporter:
    """Collects lines."""

    def __init__(self):
        self.lines = []

    def write_line(self, line):
        self.lines.append(line)


def test_the_header_says_machine_isa_threads_and_history(machine):
    assert terminal.header(machine, "/home/x.db") == [
        "xeonperf: Intel(R) Xeon(R), avx512_bf16, 2 threads",
        "xeonperf history: /home/x.db",
    ]


def test_a_remedy_is_named_where_there_is_one(machine):
    repaired = replace(machine, amx=replace(machine.amx, remedy=Remedy.REPAIR))
    assert "(AMX: repair)" in terminal.header(repaired, "x")[0]


def test_limits_are_shown_with_their_units_or_why_there_are_none():
    limits = Limits(read_bytes_per_s=2.1e10, fp32_flop_per_s=1.5e11, bf16_flop_per_s=2e12, int8_op_per_s=4e12)
    shown = terminal.limits_line(limits)
    assert all(part in shown for part in ("21.0 GB/s", "150 GFLOP/s", "2.00 TFLOP/s", "4.00 TOP/s"))
    assert terminal.limits_line(Unknown(reason="smoke")) == "limits: smoke"


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        (Path("/reports/run.html"), "report: file:///reports/run.html"),
        (Unknown(reason="switched off"), "report: none (switched off)"),
    ],
    ids=["written", "none"],
)
def test_the_last_lines_say_where_history_and_report_are(page, shown):
    reporter = Reporter()
    terminal.write_places(reporter, database="/home/x.db", run_id="0198", page=page)
    assert reporter.lines == ["history: /home/x.db (run 0198)", shown]
