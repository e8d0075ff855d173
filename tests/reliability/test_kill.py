"""A killed service loses nothing that it has acknowledged; `python tests/reliability kill` does it more often."""

from dataclasses import replace

from pytest_xeonperf.store.engine import open_store

TIMES = 8


def test_a_service_killed_at_random_moments_loses_nothing_and_shows_nothing_half(
    migrated, module, tmp_path, monkeypatch
):
    monkeypatch.setenv("XEONPERF_TOKEN", "")  # the program sets it
    found = module("kill").kill_while_ingesting(migrated, tmp_path, times=TIMES, seed=20261126)
    assert found.faults == ()
    assert found.kills == TIMES
    assert found.sent > 0
    assert found.under_way > 0


def test_a_run_that_was_acknowledged_and_is_gone_is_noticed(migrated, module):
    kill, made = module("kill"), module("runs").made
    run = made(1, cases=1)
    seen = kill.Kills()
    kill._look(migrated, {run.id: run}, set(), seen)
    assert seen.faults == (f"run {run.id} was acknowledged and is lost",)


def test_a_run_of_which_half_is_there_is_noticed(migrated, module):
    kill, made = module("kill"), module("runs").made
    run, seen = made(1, cases=2), module("kill").Kills()
    with open_store(migrated) as store:
        store.add_run(replace(run, results=run.results[:1]))
    kill._look(migrated, {run.id: run}, {run.id}, seen)
    assert seen.faults == (f"run {run.id} is not whole",)
