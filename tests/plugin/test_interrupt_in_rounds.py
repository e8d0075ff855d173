"""Ctrl-C while a ladder is timed: what was measured of it is not a result, and it is measured again."""

import json
import os
import signal
import time

import psutil
import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Outcome, RunState

SUITE = """
import os, pathlib, time
import pytest
from pytest_xeonperf import Inputs, Workload

def a_round_is_in_the_journal():
    return any('"event": "round"' in path.read_text() for path in pathlib.Path(".xeonperf").glob("*/journal.jsonl"))

def build():
    import torch

    class Slow(torch.nn.Linear):
        def forward(self, x):
            if "GO_ON" not in os.environ and a_round_is_in_the_journal():
                pathlib.Path("child").write_text(str(os.getpid()))
                time.sleep(600)
            return super().forward(x)

    return Slow(32, 4)

def inputs():
    import torch
    return Inputs(args=(torch.ones(2, 32),))

@pytest.fixture
def workload():
    return Workload(name="slow", build=build, inputs=inputs)

def test_timed(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""
ARGUMENTS = ("--xeonperf", "--xeonperf-preset=smoke", "--xeonperf-threads=1", "--xeonperf-report=off", "-v")


def _appears(path, process):
    deadline = time.monotonic() + 120
    while not path.exists() or not path.read_text():
        assert process.poll() is None, "the session ended before it was interrupted"
        assert time.monotonic() < deadline, f"{path} did not come"
        time.sleep(0.05)
    return path.read_text()


@pytest.fixture(scope="module")
def story(suite, start, finish, run):
    """A session that is interrupted in the second round, and one that resumes it."""
    folder = suite({"test_it.py": SUITE}, conftest="")
    process = start(folder, *ARGUMENTS)
    child = int(_appears(folder / "child", process))
    os.kill(process.pid, signal.SIGINT)
    stopped = finish(process, folder)
    runs = stopped.runs
    (journal,) = folder.glob(".xeonperf/*/journal.jsonl")
    events = [json.loads(line)["event"] for line in journal.read_text().splitlines()]
    resumed = run(folder, "--xeonperf-resume", "-v", extra={"GO_ON": "1"})
    return {"stopped": stopped, "child": child, "runs": runs, "events": events, "resumed": resumed}


def test_the_session_ends_as_interrupted_and_takes_its_child_with_it(story):
    assert story["stopped"].code == ExitCode.INTERRUPTED
    assert not psutil.pid_exists(story["child"])
    (run,) = story["runs"]
    assert run.state is RunState.INTERRUPTED


def test_half_a_measurement_is_in_the_journal_and_not_in_the_history(story):
    assert story["events"].count("round") == 1
    assert story["runs"][0].results == ()


def test_the_ladder_is_measured_again_and_whole(story):
    assert story["resumed"].code == ExitCode.OK
    (run,) = story["resumed"].runs
    assert (run.id, run.state) == (story["runs"][0].id, RunState.FINISHED)
    (result,) = run.results
    assert result.verdict.outcome is Outcome.PASS
    assert len(result.measurement.samples) == 3
