"""A red that hangs on times, from the session's point of view."""

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Outcome

SUITE = """
import os
import time
from pathlib import Path

import pytest
import torch

FIRST = Path(__file__).with_name("first")


def slow(seconds):
    def call():
        time.sleep(seconds)
        return torch.ones(1)

    return call


@pytest.mark.min_speedup(1.5)
def test_unlucky_process(xeonperf):
    if not FIRST.exists():
        FIRST.write_text(str(os.getpid()))
    unlucky = FIRST.read_text() == str(os.getpid())
    xeonperf.compare(slow(0.02 if unlucky else 0.001), slow(0.005))


@pytest.mark.min_speedup(1.5)
def test_slow_everywhere(xeonperf):
    xeonperf.compare(slow(0.02), slow(0.005))
"""


def test_only_what_a_fresh_process_sees_too_is_red(suite, run):
    done = run(suite({"test_it.py": SUITE}), "--xeonperf-preset=quick", "-v")
    unlucky, slow = (done.results[name].verdict for name in ("test_unlucky_process", "test_slow_everywhere"))
    assert unlucky.outcome is Outcome.INCONCLUSIVE
    assert "; not confirmed in a fresh process (PASS: min_speedup: " in unlucky.reason
    assert slow.outcome is Outcome.BELOW_FLOOR
    assert "; in a fresh process too: min_speedup: " in slow.reason
    assert done.code == ExitCode.RED
    done.lines.fnmatch_lines(["*red for its times; once more, in a fresh process*"])
