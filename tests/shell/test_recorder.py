from dataclasses import replace

import pytest

from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.records import Commit, Isa, RunState, Unknown
from pytest_xeonperf.shell import recorder as recorder_module
from pytest_xeonperf.shell.recorder import Recorder
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.workloads.presets import Preset


@pytest.fixture
def make_recorder(settings, machine, tmp_path):
    """Makes a recorder on the history of this test, open."""

    def make(*, on=machine, **changes):
        recorder = Recorder(settings=replace(settings, **changes), rootdir=tmp_path, arguments=("--xeonperf", "a b"))
        recorder.open(on)
        return recorder

    return make


@pytest.fixture
def check_out(monkeypatch):
    """Says which commit is checked out."""

    def say(sha):
        commit = Commit(sha=sha, branch="main", dirty=False, committed_at="2026-09-01T08:00:00+00:00", subject="Faster")
        monkeypatch.setattr(recorder_module, "commit_of", lambda _rootdir: commit if sha else Unknown(reason="no git"))

    say("a" * 40)
    return say


@pytest.fixture
def history(settings):
    """The runs of this test's history, newest first."""

    def read():
        with open_store(settings.db, readonly=True) as store:
            return [store.run(summary.id) for summary in store.runs()]

    return read


@pytest.fixture
def interrupted(make_recorder, machine, make_result, check_out):
    """A run with one result that was interrupted."""
    recorder = make_recorder()
    recorder.begin(machine)
    recorder.add([make_result()])
    recorder.finish(RunState.INTERRUPTED)
    recorder.close()
    return recorder.run[0]


def test_a_result_is_in_the_history_before_the_run_ends(make_recorder, machine, make_result, history):
    recorder = make_recorder()
    recorder.begin(machine)
    recorder.add([make_result()])
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


def test_a_report_that_breaks_is_told_and_nothing_else_breaks(make_recorder, machine, monkeypatch):
    def write_site(*_arguments, **_named):
        raise StopIteration

    monkeypatch.setattr("pytest_xeonperf.report.site.write_site", write_site)
    recorder = make_recorder(report="pages")
    recorder.begin(machine)
    assert recorder.write_report() == Unknown(reason="could not be written: StopIteration()")


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
    recorder.add([make_result("sdpa_bf16")])
    recorder.finish(RunState.FINISHED)
    recorder.close()
    (run,) = history()
    assert (run.id, run.state, len(run.results)) == (interrupted.id, RunState.FINISHED, 2)


def test_what_one_test_came_to_is_committed_whole_or_not_at_all(make_recorder, machine, make_result, history):
    recorder = make_recorder()
    recorder.begin(machine)
    first, second = make_result(), make_result("sdpa_bf16")
    with pytest.raises(DataError):
        recorder.add([first, replace(second, measurement=first.measurement)])  # of another case: cannot be stored
    assert history()[0].results == recorder.run[0].results == ()
    recorder.add([first, second])
    assert history()[0].results == recorder.run[0].results == (first, second)


def test_a_run_is_not_resumed_on_another_machine(interrupted, make_recorder, machine):
    with pytest.raises(UsageError, match="start a new run"):
        make_recorder(on=replace(machine, isa=Isa.AMX_BF16), resume=True)


def test_a_run_that_its_child_refuses_to_go_on_with_stays_as_it_was(interrupted, make_recorder, machine, history):
    recorder = make_recorder(resume=True)
    with pytest.raises(UsageError, match="start a new run"):
        recorder.begin(replace(machine, isa=Isa.AMX_BF16))
    recorder.finish(RunState.FINISHED)
    recorder.close()
    (run,) = history()
    assert run.state is RunState.INTERRUPTED


@pytest.mark.parametrize("now", ["b" * 40, ""], ids=["another", "unknown"])
def test_a_run_of_another_commit_is_not_resumed(interrupted, make_recorder, check_out, now):
    check_out(now)
    with pytest.raises(UsageError, match=rf"measured commit a+; this is {now or 'unknown'}\n.*check that commit out"):
        make_recorder(resume=True)


def test_of_several_unfinished_runs_that_of_this_commit_is_resumed(interrupted, make_recorder, machine, check_out):
    check_out("b" * 40)
    newer = make_recorder()
    newer.begin(machine)
    newer.finish(RunState.INTERRUPTED)
    newer.close()
    check_out("a" * 40)
    assert make_recorder(resume=True).run[0].id == interrupted.id


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


def test_what_became_slower_is_told_in_a_line_and_not_where_suites_are_only_tried(
    make_recorder, machine, make_result, check_out, slow_down
):
    quick = replace(make_result().case, preset="quick")
    result = replace(make_result(), case=quick, measurement=replace(make_result().measurement, case=quick))
    for preset, told in ((Preset.QUICK, 1), (Preset.SMOKE, 0)):
        recorder = make_recorder(preset=preset)
        recorder.begin(machine)
        recorder.add([result])
        slow_down(recorder.store[0], recorder.run[0])
        recorder.finish(RunState.FINISHED)
        lines = recorder.raise_alerts()
        assert len(lines) == told
        assert all(line.startswith("alerts: 1 new (tiny/forward eager_bf16") for line in lines)
        recorder.close()


@pytest.mark.parametrize("kind", [DataError, ZeroDivisionError])
def test_a_history_that_takes_no_alerts_is_told_and_ends_nothing(make_recorder, machine, monkeypatch, kind):
    def refuse(*_arguments, **_named):
        raise kind("the database is read-only")

    monkeypatch.setattr("pytest_xeonperf.ci.alerts.watch_run", refuse)
    recorder = make_recorder(preset=Preset.QUICK)
    recorder.begin(machine)
    (line,) = recorder.raise_alerts()
    assert "the database is read-only" in line
    assert "xeonperf alerts scan" in line
