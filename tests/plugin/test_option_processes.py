"""``--xeonperf-processes``."""

import pytest

from pytest_xeonperf.records import Outcome

SUITE = """
import pytest

@pytest.mark.min_speedup(0.0001)
def test_clear(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.min_speedup(0.0001)
def test_pair(xeonperf):
    import torch

    xeonperf.compare(lambda: torch.ones(8), lambda: torch.ones(8) + 1)
"""


@pytest.fixture(scope="module")
def session(suite, run):
    """A session that measures its cases in two processes."""
    base = ("--xeonperf", "--xeonperf-threads=1", "--xeonperf-report=off", "--xeonperf-preset=quick")
    return run(suite({"test_it.py": SUITE}), "--xeonperf-processes=2", "-v", base=base)


def test_the_pairs_of_each_process_are_kept(session):
    for result in session.results.values():
        assert {sample.process for sample in result.measurement.samples} == {0, 1}


def test_the_verdict_is_that_of_both(session):
    assert session.results["test_clear"].verdict.outcome is Outcome.PASS
    session.lines.fnmatch_lines(["*process 2 of 2; once more, in a fresh process*"])


def test_it_is_recorded(session):
    assert dict(session.runs[-1].options)["processes"] == "2"
