import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import RunState
from pytest_xeonperf.shell.begin import machine_from_outside
from pytest_xeonperf.shell.recorder import Recorder
from pytest_xeonperf.shell.settings import Settings

MEASURES = """
import pytest

@pytest.mark.workload("sam-vit-b", phase="encode")
def test_measures(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""


def test_nothing_to_resume_is_a_usage_error(pytester):
    pytester.makepyfile(MEASURES)
    result = pytester.runpytest_inprocess("--xeonperf", "--xeonperf-resume")
    assert result.ret == ExitCode.USAGE
    result.stderr.fnmatch_lines(["*xeonperf.db: nothing to resume*", "*start a new run*"])


def test_without_xeonperf_it_does_nothing(pytester):
    pytester.makepyfile("def test_ordinary(): pass")
    pytester.runpytest_inprocess("--xeonperf-resume").assert_outcomes(passed=1)


@pytest.mark.parametrize("changed", ["--xeonperf-preset=quick", "--xeonperf-threads=2"])
def test_a_run_is_not_resumed_with_settings_that_measure_something_else(pytester, unfinished, changed):
    # its finished results would stand beside others that were measured in another way
    pytester.makepyfile(MEASURES)
    result = pytester.runpytest_inprocess("--xeonperf", "--xeonperf-resume", f"--xeonperf-db={unfinished}", changed)
    assert result.ret == ExitCode.USAGE
    result.stderr.fnmatch_lines(["*start a new run*"])


@pytest.fixture
def unfinished(pytester):
    """A history with a run that was interrupted: smoke, one thread, this machine, nothing finished."""
    settings = Settings.from_pytest(pytester.parseconfig("--xeonperf-preset=smoke", "--xeonperf-threads=1"))
    recorder = Recorder(settings=settings, rootdir=pytester.path, arguments=())
    recorder.open()
    recorder.begin(machine_from_outside(settings))
    recorder.finish(RunState.INTERRUPTED)
    recorder.close()
    return settings.db
