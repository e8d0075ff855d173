from dataclasses import replace
from pathlib import Path

import pytest

from pytest_xeonperf.records import Bound, Limits, Outcome, Remedy, Roofline, Run, RunState, Unknown
from pytest_xeonperf.shell import terminal


class Reporter:
    """Collects lines."""

    hasmarkup = False

    def __init__(self, *, isatty=False, fullwidth=80):
        self.lines, self.isatty = [], isatty
        self._tw = type("Writer", (), {"fullwidth": fullwidth})()

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
    assert "slower" not in shown
    assert "(slower)" in terminal.limits_line(replace(limits, bf16_flop_per_s=1.4e11))
    assert terminal.limits_line(Unknown(reason="smoke")) == "limits: smoke"


@pytest.fixture
def make_run(machine, make_result):
    """Makes a run of two results: one that passes, and one with this outcome."""

    def make(outcome, reason):
        limits = Limits(read_bytes_per_s=2e10, fp32_flop_per_s=1e11, bf16_flop_per_s=1e12, int8_op_per_s=1e12)
        passed = make_result()
        roofline = Roofline(fraction=0.5, bound=Bound.BANDWIDTH, flop=1, weight_bytes=10_000)
        return Run(
            id="0198", state=RunState.FINISHED, started_at="2026-09-01T10:00:00+00:00", finished_at="", command="",
            options=(), machine=replace(machine, limits=limits), commit=Unknown(reason="none"),
            results=(
                replace(passed, measurement=replace(passed.measurement, roofline=roofline)),
                make_result("sdpa_bf16", outcome, reason),
            ),
        )  # fmt: skip

    return make


@pytest.fixture
def width_of_the_table(make_run):
    """The width of what is written to such a terminal."""

    def written(**terminal_s):
        reporter = Reporter(**terminal_s)
        terminal.write_table(reporter, make_run(Outcome.PASS, ""))
        return max(len(line) for line in reporter.lines)

    return written


def test_a_file_gets_every_column_unless_its_width_was_said(width_of_the_table, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert width_of_the_table(isatty=False, fullwidth=80) > 120
    assert width_of_the_table(isatty=True, fullwidth=80) <= 80
    monkeypatch.setenv("COLUMNS", "80")
    assert width_of_the_table(isatty=False, fullwidth=80) <= 80


def test_shares_of_the_limit_stand_beside_the_rate_that_was_achieved(make_run, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    reporter = Reporter()
    terminal.write_table(reporter, make_run(Outcome.PASS, ""))
    assert "50 % (10.0 GB/s)" in reporter.lines[1]


@pytest.mark.parametrize("outcome", [Outcome.BELOW_FLOOR, Outcome.INCONCLUSIVE], ids=str)
def test_below_the_table_stands_why_a_case_is_not_green(make_run, outcome):
    reporter = Reporter()
    terminal.write_table(reporter, make_run(outcome, "because"))
    assert reporter.lines[-1] == f"{outcome} tiny/forward sdpa_bf16 over eager_fp32 [smoke]: because"
    assert len([line for line in reporter.lines if "because" in line]) == 1


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
