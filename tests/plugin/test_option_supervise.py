import os

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Outcome
from pytest_xeonperf.shell.options import Supervision
from pytest_xeonperf.shell.settings import Settings

SUITE = """
import os
import pytest

def test_where(xeonperf, eager_bf16):
    print("parent", os.environ["PARENT"] if "PARENT" in os.environ else os.getpid())
    (result,) = xeonperf.check(eager_bf16)

def test_pid(xeonperf, eager_bf16, record_property):
    from pathlib import Path
    Path("measured_by").write_text(str(os.getpid()))
    xeonperf.check(eager_bf16)

def test_pid_of_the_session():
    from pathlib import Path
    Path("session").write_text(str(os.getpid()))

@pytest.mark.uses_kernel("no_such_kernel")
def test_red(xeonperf, sdpa_bf16):
    xeonperf.check(sdpa_bf16)

def test_affinity_and_threads(xeonperf):
    import torch
    assert torch.get_num_threads() == 1
"""


@pytest.fixture(scope="module")
def session(suite, run):
    return run(suite({"test_it.py": SUITE}), "--xeonperf-supervise=off", "-v")


def test_off_measures_in_the_process_that_the_user_started(session):
    assert (session.folder / "measured_by").read_text() == (session.folder / "session").read_text()


def test_off_comes_to_the_same_verdicts_and_exit_code(session):
    assert session.code == ExitCode.RED
    assert session.results["test_where"].verdict.outcome is Outcome.PASS
    assert session.results["test_red"].verdict.outcome is Outcome.WRONG_KERNEL
    session.lines.fnmatch_lines(["*test_where PASSED*", "*test_red FAILED*", "*test_affinity_and_threads PASSED*"])


def test_off_shows_the_table_too(session):
    session.lines.fnmatch_lines(["*= xeonperf =*", "tiny/forward *PASS*"])


def test_off_is_recorded(session):
    assert dict(session.runs[-1].options)["supervise"] == "off"


@pytest.mark.parametrize(
    ("arguments", "supervision"),
    [((), Supervision.ON), (("--pdb",), Supervision.OFF), (("--pdb", "--xeonperf-supervise=on"), Supervision.OFF),
     (("--trace",), Supervision.OFF), (("--xeonperf-supervise=off",), Supervision.OFF)],
    ids=str,
)  # fmt: skip
def test_a_debugger_needs_the_tests_in_its_own_process(pytester, arguments, supervision):
    assert Settings.from_pytest(pytester.parseconfig(*arguments)).supervise is supervision


def test_the_tests_of_this_file_left_this_process_alone():
    assert "XEONPERF_SUPERVISE" not in os.environ
