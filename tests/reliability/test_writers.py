"""Many processes that write into one history at once."""

import json
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path

from pytest_xeonperf.store import maintenance
from pytest_xeonperf.store.engine import open_store

WRITERS = 16
OWN, SHARED = 6, 4
"""Runs that a writer has alone, and that all of them have."""


def test_of_sixteen_writers_at_once_nothing_is_lost_and_nothing_doubled(migrated, module):
    made = module("runs").made
    shared = [made(number, cases=5) for number in range(SHARED)]
    own = [[made(1000 * writer + number, cases=5) for number in range(OWN)] for writer in range(1, WRITERS + 1)]
    writers = [_start(migrated, _mixed(runs, shared, place)) for place, runs in enumerate(own)]
    try:
        for writer in writers:
            assert writer.stdout.readline() == b"ready\n"
        for writer in writers:
            writer.stdin.write(b"go\n")
            writer.stdin.flush()
        said = [writer.communicate(timeout=300) for writer in writers]
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    assert {errors for _, errors in said} == {b""}
    new = Counter(run_id for out, _ in said for run_id in json.loads(out))
    everything = [*shared, *(run for runs in own for run in runs)]
    assert new == Counter(run.id for run in everything)
    with open_store(migrated, readonly=True) as store:
        assert sorted(summary.id for summary in store.runs(limit=1000)) == sorted(run.id for run in everything)
        assert all(store.run(run.id) == run for run in everything)
    maintenance.check(migrated)


def _mixed(own, shared, place):
    """The shared runs among a writer's own, each time at another place and turned around for every second one."""
    turned = shared[:: 1 if place % 2 else -1]
    at = place % (len(own) + 1)
    return [*own[:at], *turned, *own[at:]]


def _start(url, runs):
    writer = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "writer.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    handed = pickle.dumps((url, runs))
    writer.stdin.write(b"%d\n" % len(handed) + handed)
    writer.stdin.flush()
    return writer
