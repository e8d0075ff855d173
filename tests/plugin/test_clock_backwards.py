"""A whole session under a clock that goes backwards: no figure comes of it, and no verdict on the code."""

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import RunState

BACKWARDS = """
import gc
import time

_real, _calls = time.perf_counter_ns, [0]


def _backwards():
    _calls[0] += 1
    step_ns = 0 if gc.isenabled() else 10**10 * _calls[0]  # in the rounds alone, where the collector is off
    return _real() - step_ns


time.perf_counter_ns = _backwards
"""
SUITE = """
import pytest


@pytest.mark.min_speedup(0.0001)
def test_floor(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)


def test_two_callables(xeonperf):
    xeonperf.compare(lambda: sum(range(100)), lambda: sum(range(200)))


def test_ordinary():
    pass
"""


@pytest.fixture(scope="module")
def session(suite, run):
    return run(suite({"test_clock.py": BACKWARDS + SUITE}))


def test_what_was_timed_fails_with_the_clock_as_its_reason_and_the_rest_goes_on(session):
    assert session.code == ExitCode.RED
    session.lines.fnmatch_lines(
        [
            "*round * has a duration of -* ns",
            "*what to do: durations are positive; look for a clock that went backwards",
        ]
    )
    session.lines.fnmatch_lines(["*2 failed, 1 passed*"])


def test_no_figure_of_it_is_kept(session):
    (kept,) = session.runs
    assert (kept.state, kept.results) == (RunState.FINISHED, ())
