"""Ctrl-C, or worse, in the middle of a measurement; then the session goes on where it was."""

import os
import signal
import time

import psutil
import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Outcome, RunState

CONFTEST = """
import os
import pathlib
import time
import pytest
from pytest_xeonperf import Inputs, Workload


def make(name, *, waits):
    def build():
        from torch import nn
        with open("built", "a") as built:
            print(name, file=built)
        if waits and not os.environ.get("GO_ON"):
            pathlib.Path("waiting").write_text(str(os.getpid()))
            time.sleep(600)
        return nn.Linear(32, 4)

    def inputs():
        import torch
        return Inputs(args=(torch.ones(2, 32),))

    return Workload(name=name, build=build, inputs=inputs)
"""
SUITE = """
import pytest
from conftest import make

class TestDone:
    @pytest.fixture
    def workload(self):
        return make("done", waits=False)

    def test_done(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)

    @pytest.mark.uses_kernel("no_such_kernel")
    def test_red(self, xeonperf, sdpa_bf16):
        xeonperf.check(sdpa_bf16)

    def test_fails_after(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)
        assert "the body after check" == "fails"

    @pytest.mark.xfail(reason="known", strict=True)
    @pytest.mark.uses_kernel("no_such_kernel")
    def test_known(self, xeonperf, sdpa_bf16):
        xeonperf.check(sdpa_bf16)

class TestWaits:
    @pytest.fixture
    def workload(self):
        return make("waits", waits=True)

    def test_waits(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)
"""
FINISHED = ["test_done", "test_red", "test_fails_after", "test_known"]
_PATIENCE_S = 120


def _wait_for(path, process):
    deadline = time.monotonic() + _PATIENCE_S
    while not path.exists() or not path.read_text():
        assert process.poll() is None, "the session ended before it was interrupted"
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)
    return int(path.read_text())


def _is_gone(pid):
    deadline = time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module", params=[signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def story(request, suite, start, finish, run):
    """A session that is stopped while a model is built, and one that resumes it."""
    folder = suite({"test_it.py": SUITE, "pytest.ini": "[pytest]\npythonpath = .\n"}, conftest=CONFTEST)
    arguments = ("--xeonperf", "--xeonperf-preset=smoke", "--xeonperf-threads=1", "--xeonperf-report=off", "-v")
    process = start(folder, *arguments)
    child = _wait_for(folder / "waiting", process)
    os.kill(process.pid, request.param)
    stopped = finish(process, folder)
    child_is_gone = _is_gone(child)
    runs, built = stopped.runs, (folder / "built").read_text().split()
    resumed = run(folder, "--xeonperf-resume", "-v", extra={"GO_ON": "1"})
    return {
        "signal": request.param, "stopped": stopped, "child_is_gone": child_is_gone, "runs": runs,
        "built_before": built, "built_after": (folder / "built").read_text().split()[len(built) :], "resumed": resumed,
    }  # fmt: skip


def test_the_session_ends_as_pytest_ends_when_it_is_interrupted(story):
    expected = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGKILL: -signal.SIGKILL}
    assert story["stopped"].code == expected[story["signal"]]


def test_the_measuring_child_is_gone(story):
    assert story["child_is_gone"]


def test_what_was_finished_is_in_the_history(story):
    (run,) = story["runs"]
    assert [result.node_id.rpartition("::")[2] for result in run.results] == FINISHED
    assert run.state is {signal.SIGINT: RunState.INTERRUPTED, signal.SIGKILL: RunState.RUNNING}[story["signal"]]


def test_after_ctrl_c_there_is_still_a_table(story):
    if story["signal"] is signal.SIGINT:
        story["stopped"].lines.fnmatch_lines(["*= xeonperf =*", "done/forward *PASS*", "*KeyboardInterrupt*"])


def test_resuming_goes_on_in_the_same_run_and_finishes_it(story):
    (run,) = story["resumed"].runs
    assert run.id == story["runs"][0].id
    assert run.state is RunState.FINISHED
    assert [result.node_id.rpartition("::")[2] for result in run.results] == [*FINISHED, "test_waits"]


def test_resuming_measures_only_what_was_not_finished(story):
    assert set(story["built_before"]) == {"done", "waits"}
    assert set(story["built_after"]) == {"waits"}


def test_resuming_tells_what_was_finished_with_its_verdict(story):
    assert story["resumed"].code == ExitCode.RED
    story["resumed"].lines.fnmatch_lines(
        ["*test_done PASSED*", "*test_red FAILED*", "*test_waits PASSED*", "*WRONG_KERNEL: *no_such_kernel*"]
    )


def test_a_test_comes_out_as_it_did_also_where_its_verdict_does_not_tell(story):
    assert story["resumed"].results["test_fails_after"].verdict.outcome is Outcome.PASS
    assert story["resumed"].results["test_known"].verdict.outcome is Outcome.WRONG_KERNEL
    story["resumed"].lines.fnmatch_lines(["*test_fails_after FAILED*", "*test_known XFAIL*", "*the body after check*"])
    story["resumed"].lines.fnmatch_lines(["*2 failed, 2 passed, 1 xfailed*"])


def test_a_resumed_result_is_in_the_table_too(story):
    assert story["resumed"].results["test_waits"].verdict.outcome is Outcome.PASS
    story["resumed"].lines.fnmatch_lines(["done/forward *PASS*", "waits/forward *PASS*"])
