from dataclasses import replace

import pytest

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Isa, RunState
from pytest_xeonperf.shell.recorder import Recorder
from pytest_xeonperf.store.engine import open_store


@pytest.fixture
def make_recorder(settings, tmp_path):
    """Makes a recorder on the history of this test, open."""

    def make(**changes):
        recorder = Recorder(settings=replace(settings, **changes), rootdir=tmp_path, arguments=("--xeonperf", "a b"))
        recorder.open()
        return recorder

    return make


@pytest.fixture
def history(settings):
    """The runs of this test's history, newest first."""

    def read():
        with open_store(settings.db, readonly=True) as store:
            return [store.run(summary.id) for summary in store.runs()]

    return read


@pytest.fixture
def interrupted(make_recorder, machine, make_result):
    """A run with one result that was interrupted."""
    recorder = make_recorder()
    recorder.begin(machine)
    recorder.add(make_result())
    recorder.finish(RunState.INTERRUPTED)
    recorder.close()
    return recorder.run[0]


def test_a_result_is_in_the_history_before_the_run_ends(make_recorder, machine, make_result, history):
    recorder = make_recorder()
    recorder.begin(machine)
    recorder.add(make_result())
    (run,) = history()
    assert run.state is RunState.RUNNING
    assert run.results == (make_result(),)
    recorder.finish(RunState.FINISHED)
    recorder.close()
    assert history()[0].state is RunState.FINISHED


def test_a_session_that_measures_nothing_leaves_no_run(make_recorder, history):
    recorder = make_recorder()
    recorder.finish(RunState.FINISHED)
    recorder.close()
    assert history() == []


def test_the_command_can_be_pasted_back(make_recorder, machine):
    recorder = make_recorder()
    recorder.begin(machine)
    assert recorder.run[0].command.endswith("--xeonperf 'a b'")
    recorder.finish(RunState.FINISHED)
    recorder.close()


def test_resuming_knows_what_was_finished_and_goes_on_in_the_same_run(
    interrupted, make_recorder, machine, make_result, history
):
    recorder = make_recorder(resume=True)
    assert recorder.finished_tests() == {make_result().node_id: (make_result(),)}
    recorder.begin(machine)
    recorder.add(make_result("sdpa_bf16"))
    recorder.finish(RunState.FINISHED)
    recorder.close()
    (run,) = history()
    assert (run.id, run.state, len(run.results)) == (interrupted.id, RunState.FINISHED, 2)


def test_a_run_is_not_resumed_on_another_machine(interrupted, make_recorder, machine):
    recorder = make_recorder(resume=True)
    with pytest.raises(UsageError, match="start a new run"):
        recorder.begin(replace(machine, isa=Isa.AMX_BF16))
    recorder.finish(RunState.INTERRUPTED)
    recorder.close()


@pytest.mark.parametrize("changes", [{"preset": "quick"}, {"threads": 2}], ids=str)
def test_a_run_is_not_resumed_with_settings_that_measure_something_else(interrupted, make_recorder, changes):
    with pytest.raises(UsageError, match="start a new run"):
        make_recorder(resume=True, **changes)


def test_nothing_to_resume_is_a_usage_error(make_recorder):
    with pytest.raises(UsageError, match="nothing to resume"):
        make_recorder(resume=True)


def test_a_finished_run_is_not_resumed(make_recorder, machine):
    recorder = make_recorder()
    recorder.begin(machine)
    recorder.finish(RunState.FINISHED)
    recorder.close()
    with pytest.raises(UsageError, match="nothing to resume"):
        make_recorder(resume=True)
