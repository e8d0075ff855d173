from dataclasses import replace

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import RunState
from pytest_xeonperf.shell.begin import machine_from_outside
from pytest_xeonperf.shell.recorder import Recorder
from pytest_xeonperf.shell.settings import Settings
from pytest_xeonperf.shell.supervisor import Supervisor
from pytest_xeonperf.store.engine import open_store

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
def test_a_run_is_not_resumed_with_settings_that_measure_something_else(refused, interrupt, changed):
    # its finished results would stand beside others that were measured in another way
    refused(interrupt(), changed).stderr.fnmatch_lines(["*start a new run*"])


def test_a_run_is_not_resumed_after_another_commit_was_checked_out(refused, interrupt, commit):
    commit()
    database = interrupt()
    commit()
    refused(database).stderr.fnmatch_lines(["*measured commit *; this is *", "*check that commit out*"])


def test_a_run_is_not_resumed_on_another_machine(refused, interrupt):
    database = interrupt(cpu_model="Another CPU")
    refused(database).stderr.fnmatch_lines(["*was measured on Another CPU*", "*start a new run*"])


def test_a_run_is_not_resumed_where_only_the_child_sees_another_machine(refused, interrupt, monkeypatch):
    def machine(supervisor):
        return replace(supervisor.start.machine, cpu_model="Another CPU")

    monkeypatch.setattr(Supervisor, "machine", machine)
    refused(interrupt()).stderr.fnmatch_lines(["*this is Another CPU*", "*start a new run*"])


@pytest.fixture
def interrupt(pytester):
    """Makes a history with a run that was interrupted: smoke, one thread, this machine, nothing finished."""

    def make(**changes):
        settings = Settings.from_pytest(pytester.parseconfig("--xeonperf-preset=smoke", "--xeonperf-threads=1"))
        machine = replace(machine_from_outside(settings), **changes)
        recorder = Recorder(settings=settings, rootdir=pytester.path, arguments=())
        recorder.open(machine)
        recorder.begin(machine)
        recorder.finish(RunState.INTERRUPTED)
        recorder.close()
        return settings.db

    return make


@pytest.fixture
def refused(pytester):
    """Tries to resume, is refused, and leaves the run as it was: it can still be resumed as it should be."""

    def run(database, *arguments):
        pytester.makepyfile(MEASURES)
        given = ("--xeonperf-preset=smoke", "--xeonperf-threads=1", f"--xeonperf-db={database}", *arguments)
        result = pytester.runpytest_inprocess("--xeonperf", "--xeonperf-resume", *given)
        assert result.ret == ExitCode.USAGE
        result.stdout.no_fnmatch_line("*= xeonperf =*")
        with open_store(database, readonly=True) as store:
            (left,) = store.runs()
            assert (left.state, len(store.run(left.id).results)) == (RunState.INTERRUPTED, 0)
        return result

    return run


@pytest.fixture
def commit(pytester, git):
    """Makes a commit of nothing in the suite's own repository."""
    git(pytester.path, "init", "--quiet")

    def make():
        git(pytester.path, "commit", "--quiet", "--allow-empty", "--message=x")

    return make
