"""The script that brings large runs tells what it found; `python tests/reliability bodies` does it near the limit."""

from pytest_xeonperf.store.engine import open_store

MOST_BYTES = 1 << 20


def test_runs_that_are_brought_at_once_are_taken_and_measured(migrated, module, tmp_path):
    found = module("bodies").bring(migrated, tmp_path, shape="compact", at_once=2, most_bytes=MOST_BYTES)
    assert found.statuses == [201, 201]
    assert 0.9 * MOST_BYTES < found.body_bytes <= MOST_BYTES
    assert found.peak_bytes >= found.idle_bytes > 0
    with open_store(migrated) as store:
        assert len(store.runs()) == 2


def test_what_is_no_run_is_refused_and_measured_too(migrated, module, tmp_path):
    assert module("bodies").bring(migrated, tmp_path, shape="empty", most_bytes=MOST_BYTES).statuses == [400, 400]
