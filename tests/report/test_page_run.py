import shlex

from pytest_xeonperf.records import Outcome, RunState, Unknown
from pytest_xeonperf.report.page_run import run_page


def only_section(make, **changes):
    (section,) = run_page(make.run(make.result(**changes))).sections
    return section


def test_the_page_tells_when_what_code_and_what_machine(make):
    commit, started, machine = run_page(make.run(commit=make.commit(dirty=True))).facts
    assert (commit.value, commit.note) == ("3f9a1c0b77", "main, with uncommitted changes: Fuse")
    assert (started.value, started.note) == ("2026-05-12 14:03 UTC", "took 22 min")
    assert machine.value == "INTEL(R) XEON(R) PLATINUM 8581C, amx_bf16, 2 threads"


def test_a_run_that_was_killed_says_why_its_length_is_unknown(make):
    run = make.run(finished_at=Unknown(reason="still running"), state=RunState.RUNNING)
    assert run_page(run).facts[1].note == "still running"


def test_a_run_without_git_says_so(make):
    assert run_page(make.run(commit=Unknown(reason="no git here"))).facts[0].note == "no git here"


def test_a_floor_that_does_not_apply_says_why(make):
    section = only_section(make, verdict=make.verdict(floor_ratio=Unknown(reason="asked for amx_bf16 only")))
    assert section.floor.reason == "asked for amx_bf16 only"
    assert section.measured.strip.floor.reason == "asked for amx_bf16 only"


def test_a_crashed_case_keeps_its_verdict_and_its_command(make):
    section = only_section(make, outcome=Outcome.CRASHED, measurement=Unknown(reason="died by SIGILL"))
    assert section.measured == Unknown(reason="died by SIGILL")
    assert section.badge.word == "crashed"
    assert section.command == "pytest --xeonperf --xeonperf-preset=quick suites/test_sam.py::test_compiled"


def test_the_command_survives_a_shell(make):
    section = only_section(make, node_id="suites/test_sam.py::test_x[a b'; rm -rf /]")
    assert shlex.split(section.command)[-1] == "suites/test_sam.py::test_x[a b'; rm -rf /]"


def test_what_was_timed_alone_has_a_latency_its_spread_and_a_command_without_a_preset(make):
    (section,) = run_page(make.run(make.alone())).sections
    assert (section.measured.latency, section.measured.rate) == ("1.25 ms", "797 call/s")
    assert section.command == "pytest --xeonperf tests/test_fft.py::test_fft"
