"""Deaths that come back must end the session all the same, as a verdict or an error, never as a loop."""

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Outcome

REFERENCE_DIES = """
import os, signal
import pytest
from pytest_xeonperf import Inputs, Workload

def build():
    import torch

    class Model(torch.nn.Linear):
        def forward(self, x):
            if x.dtype is torch.float32:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().forward(x)

    return Model(32, 4)

def inputs():
    import torch
    return Inputs(args=(torch.ones(2, 32),))

@pytest.fixture
def workload():
    return Workload(name="dies-in-fp32", build=build, inputs=inputs)

@pytest.mark.min_speedup(1.0, over="eager_bf16")
def test_over_bf16(xeonperf, sdpa_bf16):
    xeonperf.check(sdpa_bf16)

@pytest.mark.min_speedup(1.0, over="eager_fp32")
def test_over_fp32(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""
COMPARED_DIES = """
import inspect, os, signal

def test_free_form(xeonperf):
    import torch

    def candidate():
        if any(frame.function == "_one_round" for frame in inspect.stack()):
            os.kill(os.getpid(), signal.SIGKILL)
        return torch.ones(2)

    xeonperf.compare(candidate, lambda: torch.ones(2))

def test_after(xeonperf):
    pass
"""


@pytest.fixture(scope="module")
def session(suite, run):
    return run(suite({"test_1_compared.py": COMPARED_DIES, "test_2_reference.py": REFERENCE_DIES}, conftest=""), "-v")


def test_the_session_comes_to_an_end(session):
    assert session.code == ExitCode.RED


def test_a_callable_that_kills_the_child_while_it_is_timed_is_crashed(session):
    session.lines.fnmatch_lines(["*test_free_form FAILED*", "*test_after PASSED*", "*CRASHED: *SIGKILL*"])


def test_a_baseline_that_kills_the_child_leaves_its_rungs_without_one(session):
    assert session.results["test_over_fp32"].verdict.outcome is Outcome.NO_BASELINE


def test_a_reference_that_kills_the_child_is_not_run_again_for_every_rung(session):
    assert session.results["test_over_bf16"].verdict.outcome in {Outcome.NO_BASELINE, Outcome.CRASHED}
    assert "eager_fp32" in session.results["test_over_bf16"].verdict.reason


@pytest.mark.parametrize(
    "trouble", ["import os; os._exit(7)", "raise pytest.UsageError('only here')"], ids=["exit", "usage"]
)
def test_a_child_that_never_gets_ready_ends_the_run_as_an_infrastructure_error(suite, run, trouble):
    conftest = f"""
import sys
import pytest

def pytest_collection_modifyitems(items):
    if sys.argv[0].endswith("child.py"):
        {trouble}
"""
    suite_text = """
import pytest

@pytest.mark.workload("sam-vit-b", phase="encode")
def test_it(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""
    session = run(suite({"test_it.py": suite_text}, conftest=conftest))
    assert session.code == ExitCode.INFRASTRUCTURE
    assert "INTERNALERROR" not in session.out
    session.lines.fnmatch_lines(["*measuring child*"])
