"""The load generator tells what it found; `python tests/reliability load` runs it over a million measurements."""

import httpx2 as httpx
import pytest

from pytest_xeonperf.service.budgets import READS
from pytest_xeonperf.store.engine import open_store


@pytest.fixture
def history(migrated, module):
    """A small history made as a large one is."""
    module("history").make_history(migrated, runs=25, cases=7, pairs=3)
    return migrated


def test_a_history_that_was_made_quickly_is_one_that_runs_can_be_added_to(history, module):
    made = module("runs").made
    with open_store(history) as store:
        summaries = store.runs(limit=100)
        assert len(summaries) == 25
        assert len(store.run(summaries[0].id).results) == 7
        assert [len(store.trend(case.id)) for case in store.cases()] == [25] * 7
        run = made(9999, cases=7)
        assert store.add_run(run)
        assert store.run(run.id) == run


def test_every_route_is_answered_without_an_error_to_many_clients_at_once(history, module, tmp_path):
    load = module("load")
    with open_store(history) as store:
        before = len(store.runs(limit=10_000))
    found, processor_s = load.load(history, tmp_path, clients=8, seconds=2)
    assert processor_s > 0
    assert {name: dict(answers.errors) for name, answers in found.items()} == {name: {} for name in load.MIX}
    assert all(answers.took_s for name, answers in found.items() if name != "first page")
    with open_store(history) as store:
        assert len(store.runs(limit=10_000)) - before == len(found["ingest"].took_s)


def test_clients_are_not_told_to_wait_however_often_they_ask(history, module, tmp_path):
    served = module("service").Served(history, tmp_path / "service.log")
    served.start()
    try:
        with httpx.Client(base_url=served.url) as client:
            statuses = {client.get("/api/v1/openapi.json").status_code for _ in range(READS + 20)}
    finally:
        served.kill()
    assert statuses == {200}


def test_quantiles_are_of_what_was_answered(module):
    answers = module("load").Answers(took_s=[number / 100 for number in range(100)])
    assert (answers.quantile_s(0.5), answers.quantile_s(0.99)) == (0.5, 0.99)
