from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Outcome, RunState

SUITE = """
import pytest

@pytest.mark.parametrize("time", range(6))
def test_again(xeonperf, eager_bf16, time):
    xeonperf.check(eager_bf16)
"""
ARGUMENTS = ("--xeonperf", "--xeonperf-preset=smoke", "--xeonperf-threads=1", "--xeonperf-report=pages")


def test_two_sessions_at_once_write_one_new_database_and_neither_loses_anything(suite, start, finish):
    folder = suite({"test_it.py": SUITE})
    processes = [start(folder, *ARGUMENTS) for _ in range(2)]
    sessions = [finish(process, folder) for process in processes]
    assert [session.code for session in sessions] == [ExitCode.OK, ExitCode.OK]
    for session in sessions:
        session.lines.fnmatch_lines([f"report: file://{folder}/pages/*.html"])
    runs = sessions[0].runs
    assert len({run.id for run in runs}) == 2
    for run in runs:
        assert run.state is RunState.FINISHED
        assert [result.verdict.outcome for result in run.results] == [Outcome.PASS] * 6
