"""A machine without a C++ compiler: what is compiled is skipped with that reason, the rest runs."""

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Outcome

SUITE = """
import pytest

def test_eager(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

@pytest.mark.min_speedup(2.0)
def test_compiled(xeonperf, compiled_bf16):
    xeonperf.check(compiled_bf16)
"""


@pytest.fixture(scope="module")
def session(suite, run):
    return run(suite({"test_it.py": SUITE}), "-v", extra={"CXX": "no-such-compiler"})


def test_what_needs_no_compiler_is_measured(session):
    session.lines.fnmatch_lines(["*test_eager PASSED*"])
    assert session.results["test_eager"].verdict.outcome is Outcome.PASS


def test_what_is_compiled_is_skipped_and_says_what_is_missing(session):
    session.lines.fnmatch_lines(["*test_compiled UNDECIDED (OTHER_MACHINE: *no-such-compiler is not installed)*"])
    result = session.results["test_compiled"]
    assert result.verdict.outcome is Outcome.OTHER_MACHINE
    assert "no-such-compiler" in result.verdict.reason


def test_what_was_not_decided_is_not_green(session):
    assert session.code == ExitCode.UNDECIDED
