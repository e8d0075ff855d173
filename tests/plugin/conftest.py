"""Runs whole sessions in processes of their own, as a user does, on models that are built in no time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.records import Result, Run

INI = """\
[pytest]
strict = true
filterwarnings = error
"""

TINY = """
import pytest
from pytest_xeonperf import Inputs, Workload


def build():
    from torch import nn

    return nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 8))


def inputs():
    import torch

    return Inputs(args=(torch.linspace(-1, 1, 64).reshape(2, 32),))  # [2, 32] fp32


@pytest.fixture
def workload():
    return Workload(name="tiny", build=build, inputs=inputs)
"""
"""A conftest of the user's that brings a model of their own."""

SMOKE = ("--xeonperf", "--xeonperf-preset=smoke", "--xeonperf-threads=1", "--xeonperf-report=off")
_TIMEOUT_S = 150
"""Ten times what the longest session takes on a quiet machine."""


@dataclass(frozen=True)
class Session:
    """A session that has ended."""

    folder: Path
    code: int
    out: str

    @property
    def lines(self) -> pytest.LineMatcher:
        """What was printed, to be matched."""
        return pytest.LineMatcher(self.out.splitlines())

    @property
    def runs(self) -> tuple[Run, ...]:
        """What is in the history, oldest first."""
        with open_store(str(self.folder / "xeonperf.db"), readonly=True) as store:
            return tuple(store.run(summary.id) for summary in reversed(store.runs()))

    @property
    def results(self) -> dict[str, Result]:
        """Results of the newest run by the name of their test."""
        return {result.node_id.rpartition("::")[2]: result for result in self.runs[-1].results}


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The user's environment without settings of ours; one cache for all sessions, and not the user's.

    Nor has a user schemathesis, a pytest plugin that makes up two fifths of what a session takes to start.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("XEONPERF", "PYTEST_"))}
    cache = str(tmp_path_factory.mktemp("cache"))
    return {**ours, "XDG_CACHE_HOME": cache, "COLUMNS": "200", "PYTEST_ADDOPTS": "-p no:schemathesis"}


@pytest.fixture(autouse=True)
def _nothing_of_the_user_s(environment, monkeypatch):
    """Sessions in this process see the same environment."""
    for name in os.environ:
        if name.startswith("XEONPERF"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])


def _hear_ctrl_c():
    """A shell starts what runs in its background deaf to SIGINT, and every process below it inherits that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def start(environment):
    """Starts pytest in a folder and returns at once."""

    def start_it(folder, *arguments, extra=None):
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=folder,
            env={**environment, **(extra or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - this process has no other thread
        )

    return start_it


@pytest.fixture(scope="session")
def finish():
    """Waits for a started pytest."""

    def finish_it(process, folder):
        try:
            out, _ = process.communicate(timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            pytest.fail(f"the session did not come to an end:\n{out}")
        sys.stdout.write(out)  # shown if the test fails
        return Session(folder=folder, code=process.returncode, out=out)

    return finish_it


@pytest.fixture(scope="session")
def run(start, finish):
    """Runs pytest in a folder to its end, with ``--xeonperf`` and the smoke preset unless told otherwise."""

    def run_it(folder, *arguments, base=SMOKE, extra=None):
        return finish(start(folder, *base, *arguments, extra=extra), folder)

    return run_it


@pytest.fixture(scope="session")
def suite(tmp_path_factory):
    """Makes a folder with a suite: file names and texts; a conftest with a tiny model unless one is given."""

    def make(files, conftest=TINY):
        folder = tmp_path_factory.mktemp("suite")
        for name, text in {"pytest.ini": INI, "conftest.py": conftest, **files}.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return make


_QUICK = """
import pytest

@pytest.mark.min_speedup(0.0001)
def test_clear(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.min_speedup(10000.0)
def test_hopeless(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.variant(dtype="fp32", attention="plain")
@pytest.mark.min_speedup(1.0)
def test_of_the_baseline_s_own_speed(xeonperf, variant):
    xeonperf.check(variant)
"""


@pytest.fixture(scope="session")
def quick_session(suite, run):
    """A session that judges speed: the quick preset, on a model of no size."""
    arguments = ("--xeonperf-preset=quick", "--xeonperf-budget=0.001", "--xeonperf-alpha=0.2")
    base = ("--xeonperf", "--xeonperf-threads=1", "--xeonperf-report=off")
    return run(suite({"test_it.py": _QUICK}), *arguments, base=base)


_PLAIN = """
import os

def test_prepared(xeonperf, eager_bf16):
    import torch
    assert torch.get_num_threads() == 1
    assert os.environ["OMP_NUM_THREADS"] == "1"
    assert len(os.sched_getaffinity(0)) == 1
    xeonperf.check(eager_bf16)
"""
_TELLS = """
def pytest_unconfigure(config):
    import sys
    print("\\nmodules:", *sys.modules)
"""


@pytest.fixture(scope="session")
def plain_session(suite, run):
    """A session of one test that passes; tells at its end what the user's process has imported."""
    folder = suite({"test_it.py": _PLAIN}, conftest=TINY + _TELLS)
    return run(folder, "-p", "no:benchmark", extra={"OMP_NUM_THREADS": "7"})
