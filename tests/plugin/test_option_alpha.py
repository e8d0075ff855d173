import pytest

from pytest_xeonperf.errors import ExitCode, InfrastructureError
from pytest_xeonperf.records import Case, Limits, Metric, Outcome, Result, RunState, Unknown, Verdict
from pytest_xeonperf.shell.begin import machine_from_outside
from pytest_xeonperf.shell.recorder import Recorder
from pytest_xeonperf.shell.settings import Settings
from pytest_xeonperf.shell.supervisor import Supervisor

FLOORS = """
import pytest

pytestmark = pytest.mark.workload("sam-vit-b", phase="encode")

@pytest.mark.min_speedup(2.0)
def test_finished(xeonperf, sdpa_bf16): ...

@pytest.mark.min_speedup(2.0, over="eager_fp32")
@pytest.mark.min_speedup(1.5, over="eager_bf16")
def test_over_two(xeonperf, sdpa_bf16): ...

def test_without_a_floor(xeonperf, eager_bf16): ...
"""
FINISHED = Result(
    node_id="test_it.py::test_finished",
    location="test_it.py:7",
    case=Case(
        workload="sam-vit-b", phase="encode", preset="quick", variant="sdpa_bf16", metric=Metric.LATENCY,
        over="eager_fp32",
    ),
    measured_at="2026-09-01T10:00:00.000000+00:00",
    measurement=Unknown(reason="of no interest here"),
    verdict=Verdict(outcome=Outcome.PASS, reason="", floor_ratio=2.0, expectations=()),
)  # fmt: skip


def test_the_interval_is_that_of_the_chance_of_error(quick_session):
    speedup = quick_session.results["test_clear"].measurement.speedup
    assert speedup.confidence == pytest.approx(0.8)
    assert speedup.low_ratio > 0


def test_clear_cases_are_decided_in_the_fewest_rounds(quick_session):
    assert quick_session.results["test_clear"].verdict.outcome is Outcome.PASS
    hopeless = quick_session.results["test_hopeless"].verdict
    assert hopeless.outcome is Outcome.BELOW_FLOOR
    assert "; in a fresh process too: min_speedup: " in hopeless.reason
    assert quick_session.code == ExitCode.RED


def test_it_is_recorded(quick_session):
    assert dict(quick_session.runs[-1].options)["alpha"] == "0.2"


def test_beyond_smoke_limits_are_measured_and_every_variant_is_weighed(quick_session):
    assert isinstance(quick_session.runs[-1].machine.limits, Limits)
    assert isinstance(quick_session.results["test_clear"].measurement.evidence.peak_rss_bytes, int)
    quick_session.lines.fnmatch_lines(["limits: read *B/s, FP32 *FLOP/s*"])


@pytest.fixture
def told(pytester, monkeypatch):
    """What the first measuring child would be told."""

    def run(*arguments):
        starts = []

        def machine(supervisor):
            starts.append(supervisor.start)
            raise InfrastructureError("far enough")

        monkeypatch.setattr(Supervisor, "machine", machine)
        result = pytester.runpytest_inprocess("--xeonperf", "--xeonperf-threads=1", *arguments)
        assert result.ret == ExitCode.INFRASTRUCTURE
        return starts[0]

    return run


def test_it_is_shared_by_all_rungs_that_have_a_floor_and_by_no_other(pytester, told):
    pytester.makepyfile(test_it=FLOORS)
    assert told().cases == 3


def test_a_resumed_run_shares_it_among_those_that_are_finished_too(pytester, told):
    pytester.makepyfile(test_it=FLOORS)
    settings = Settings.from_pytest(pytester.parseconfig("--xeonperf-threads=1"))
    recorder = Recorder(settings=settings, rootdir=pytester.path, arguments=())
    recorder.open(machine_from_outside(settings))
    recorder.begin(machine_from_outside(settings))
    recorder.add([FINISHED])
    recorder.finish(RunState.INTERRUPTED)
    recorder.close()
    start = told("--xeonperf-resume")
    assert start.cases == 3
    assert start.selected == ("test_it.py::test_over_two", "test_it.py::test_without_a_floor")
