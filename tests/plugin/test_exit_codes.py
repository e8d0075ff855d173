"""0 to 5 as pytest means them; 6 where green was not earned. 1, 2 and 3 are earned in the files of their causes."""

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Outcome

UNDECIDED = """
import pytest
from pytest_xeonperf import Workload

def test_passes(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

class TestNoBaseline:
    @pytest.fixture
    def workload(self):
        return Workload(name="broken", build=lambda: 1 / 0)

    def test_undecided(self, xeonperf, eager_bf16):
        xeonperf.check(eager_bf16)

def test_ordinary():
    pass
"""
NOT_APPLICABLE = """
import pytest
from pytest_xeonperf import Workload
from pytest_xeonperf.errors import NotApplicableError

def build():
    raise NotApplicableError("needs 900 GiB, 3 GiB are available")

@pytest.fixture
def workload():
    return Workload(name="huge", build=build)

def test_measures(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""
MIXED = """
import pytest

@pytest.mark.skip(reason="not today")
def test_measures(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

def test_ordinary():
    pass
"""


@pytest.fixture(scope="module")
def undecided(suite, run):
    return run(suite({"test_it.py": UNDECIDED}), "-v")


def test_one_undecided_case_is_enough_for_six(undecided):
    assert undecided.code == ExitCode.UNDECIDED == 6
    assert undecided.results["test_undecided"].verdict.outcome is Outcome.NO_BASELINE
    assert undecided.results["test_passes"].verdict.outcome is Outcome.PASS


def test_an_undecided_test_is_skipped_and_counted_as_undecided(undecided):
    undecided.lines.fnmatch_lines(["*test_undecided UNDECIDED*", "*= 2 passed, 1 undecided in *"])


def test_the_reason_of_an_undecided_test_is_shown(undecided):
    assert "baseline eager_fp32: ZeroDivisionError" in undecided.out


def test_nothing_measured_is_six_and_no_green(suite, run):
    session = run(suite({"test_it.py": NOT_APPLICABLE}, conftest=""), "-rs")
    assert session.code == ExitCode.UNDECIDED
    session.lines.fnmatch_lines(["*SKIPPED*needs 900 GiB, 3 GiB are available*"])


def test_only_skipped_performance_tests_are_six_even_where_others_pass(pytester):
    pytester.makepyfile(MIXED)
    pytester.makeconftest("import pytest\nfrom pytest_xeonperf import Workload\n\n@pytest.fixture\ndef workload(): ...")
    assert pytester.runpytest_inprocess("--xeonperf").ret == ExitCode.UNDECIDED


def test_nothing_selected_is_five(pytester):
    pytester.makepyfile(MIXED)
    pytester.makeconftest("import pytest\nfrom pytest_xeonperf import Workload\n\n@pytest.fixture\ndef workload(): ...")
    assert pytester.runpytest_inprocess("--xeonperf", "-k", "no_such").ret == ExitCode.NOTHING_TO_RUN


def test_a_red_ordinary_test_is_one_also_beside_undecided_ones(pytester):
    pytester.makepyfile(MIXED + "\ndef test_red():\n    assert not True\n")
    pytester.makeconftest("import pytest\nfrom pytest_xeonperf import Workload\n\n@pytest.fixture\ndef workload(): ...")
    assert pytester.runpytest_inprocess("--xeonperf").ret == ExitCode.RED
