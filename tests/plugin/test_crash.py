"""One session in which nearly everything goes wrong; what is left must be right."""

import json
from xml.etree import ElementTree as ET

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Measurement, Outcome, RunState, Unknown

CONFTEST = """
import os, signal
import pytest
from pytest_xeonperf import Attention, Inputs, Workload


def make(name, mischief):
    '''A Linear whose eager_bf16 variant, and no other, gets into mischief.'''

    def build():
        import torch

        class Model(torch.nn.Linear):
            fused = False

            def forward(self, x):
                if x.dtype is torch.bfloat16 and not self.fused:
                    mischief()
                return super().forward(x)

        return Model(32, 4)

    def inputs():
        import torch

        return Inputs(args=(torch.linspace(-1, 1, 64).reshape(2, 32),))

    def attention(module, kind):
        module.fused = kind is Attention.SDPA
        return module

    return Workload(name=name, build=build, inputs=inputs, attention=attention)
"""
LADDER = """
import os, signal
import pytest
from conftest import make

@pytest.fixture
def workload():
    def mischief():
        {mischief}
    return make("{name}", mischief)

def test_{name}_bad(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)

def test_{name}_good(xeonperf, sdpa_bf16):
    xeonperf.check(sdpa_bf16)
"""
LAST = """
import os
import pytest
from conftest import make

@pytest.fixture
def workload():
    return make("fine", lambda: None)

def test_leaves(xeonperf, eager_bf16):
    os._exit(3)

def test_leaves_after_its_check(xeonperf, sdpa_bf16):
    xeonperf.check(sdpa_bf16)
    os._exit(4)

@pytest.mark.variant(dtype="bf16", attention="plain")
def test_fine(xeonperf, variant):
    xeonperf.check(variant)

def test_ordinary():
    pass
"""


def _ladder(name, mischief):
    return LADDER.format(name=name, mischief=mischief)


@pytest.fixture(scope="module")
def session(suite, run):
    folder = suite(
        {
            "pytest.ini": "[pytest]\npythonpath = .\nfilterwarnings = error\n",
            "test_1_raises.py": _ladder("raises", 'raise RuntimeError("no such luck")'),
            "test_2_memory.py": _ladder("memory", "import torch; torch.empty(1 << 60)"),
            "test_3_killed.py": _ladder("killed", "os.kill(os.getpid(), signal.SIGKILL)"),
            "test_4_faults.py": _ladder("faults", "os.kill(os.getpid(), signal.SIGSEGV)"),
            "test_5_last.py": LAST,
        },
        conftest=CONFTEST,
    )
    return run(folder, "-v", "--junitxml=junit.xml")


@pytest.fixture(scope="module")
def results(session):
    return session.results


def test_the_session_survives_all_of_it_and_is_red(session):
    assert session.code == ExitCode.RED
    assert "INTERNALERROR" not in session.out
    assert session.runs[-1].state is RunState.FINISHED


@pytest.mark.parametrize("name", ["raises", "memory", "killed", "faults"])
def test_the_variant_that_misbehaves_is_crashed(results, name):
    result = results[f"test_{name}_bad"]
    assert result.verdict.outcome is Outcome.CRASHED
    assert isinstance(result.measurement, Unknown)


@pytest.mark.parametrize("name", ["raises", "memory", "killed", "faults"])
def test_the_other_rung_of_its_ladder_is_measured_all_the_same(results, name):
    result = results[f"test_{name}_good"]
    assert result.verdict.outcome is Outcome.PASS
    assert isinstance(result.measurement, Measurement)


def test_an_exception_is_named(results):
    assert "RuntimeError: no such luck" in results["test_raises_bad"].verdict.reason


def test_an_allocation_that_failed_is_named(results):
    assert "memory" in results["test_memory_bad"].verdict.reason


@pytest.mark.parametrize(
    ("name", "words"),
    [("killed", ("SIGKILL", "out-of-memory killer")), ("faults", ("SIGSEGV", "out of bounds"))],
    ids=["killed", "faults"],
)
def test_a_death_names_the_variant_the_stage_the_signal_and_the_likely_cause(results, session, name, words):
    reason = results[f"test_{name}_bad"].verdict.reason
    assert all(word in reason for word in ("eager_bf16", "warming up", *words)), reason
    session.lines.fnmatch_lines([f"*CRASHED: eager_bf16 killed the measuring child*{words[0]}*"])


def test_a_test_that_leaves_the_process_is_crashed_with_its_exit_code(session):
    session.lines.fnmatch_lines(["*test_leaves FAILED*", "*CRASHED: the measuring child left with exit code 3*"])


def test_a_test_that_leaves_after_its_check_is_to_blame_and_no_variant_is(session, results):
    session.lines.fnmatch_lines(["*test_leaves_after_its_check FAILED*"])
    assert results["test_leaves_after_its_check"].verdict.reason == "the measuring child left with exit code 4"


def test_a_new_child_measures_nothing_that_was_reported_already(session):
    (journal,) = session.folder.glob(".xeonperf/*/journal.jsonl")
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    own = [event["facts"] for event in events if event["facts"].get("model", "").startswith("test_5_last.py")]
    built = [facts["variant"] for facts in own if facts.get("stage") == "building"]
    assert built == ["eager_fp32", "sdpa_bf16", "bf16-plain", "eager_fp32", "bf16-plain"]  # eager_bf16 has left


def test_the_tests_after_a_death_run(session, results):
    assert results["test_fine"].verdict.outcome is Outcome.PASS
    session.lines.fnmatch_lines(["*test_fine PASSED*", "*test_ordinary PASSED*"])


def test_each_test_is_told_once(session):
    for name in ("killed", "faults"):
        assert session.out.count(f"::test_{name}_bad FAILED") == 1
        assert session.out.count(f"::test_{name}_good PASSED") == 1


def test_a_death_belongs_to_the_series_of_its_case(results):
    # a trend that shows the crash where its last good point was, and not in a series of its own
    for name in ("killed", "faults"):
        assert results[f"test_{name}_bad"].case.workload == name
        assert results[f"test_{name}_bad"].case.phase == results[f"test_{name}_good"].case.phase


def test_junit_knows_of_the_dead_too(session):
    cases = {case.get("name"): case for case in ET.parse(session.folder / "junit.xml").iter("testcase")}  # noqa: S314 - ours
    assert cases["test_killed_bad"].find("failure") is not None
    verdicts = {prop.get("name"): prop.get("value") for prop in cases["test_killed_bad"].iter("property")}
    assert verdicts["xeonperf.verdict"] == "CRASHED"
