"""A service that is killed at random moments while clients bring runs to it."""

import os
import random
import threading
import time
from dataclasses import dataclass

from runs import made
from service import Served

from pytest_xeonperf.ci.box import deliver_kept, keep, outbox
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store import maintenance
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

CLIENTS = 4
CASES, PAIRS = 12, 40
"""Of a run: large enough that a moment often falls into its transaction."""


@dataclass
class Kills:
    """What was seen.

    Attributes:
        acknowledged: Runs whose clients had been told so when the service died.
        beyond: Runs that were committed although nobody had been told.
        under_way: Kills after which runs were left to send.
        faults: What must not be, in words.
    """

    kills: int = 0
    sent: int = 0
    acknowledged: int = 0
    beyond: int = 0
    under_way: int = 0
    faults: tuple[str, ...] = ()


def kill_while_ingesting(database, folder, *, times, seed=1, runs_each=3, say=lambda _: None):
    """Kill the service so many times; after each look at the database, at the end let the clients send the rest.

    Args:
        database: Path or URL of an empty history.
        folder: For the clients' outboxes and the service's log.
        times: How often.
        seed: Of the moments.
        runs_each: Runs that each of the clients has at each time.
        say: Is told how far it got.
    """
    moments = random.Random(seed)
    with open_store(database) as store:
        os.environ["XEONPERF_TOKEN"] = store.create_token("clients", [Scope.INGEST])[1]
    served, seen, sent = Served(database, folder / "service.log"), Kills(), {}
    boxes = [outbox(folder / f"client-{number}", served.url) for number in range(CLIENTS)]
    served.start()
    sent |= _fill(boxes, runs_each, len(sent))
    usual_s = _deliver(boxes, served.url)
    open_ends = {}
    for number in range(times):
        fresh = _fill(boxes, runs_each, len(sent))
        sent |= fresh
        open_ends |= fresh
        if number:
            served.start()
        killer = threading.Timer(moments.uniform(0, usual_s), served.kill)
        killer.start()
        _deliver(boxes, served.url)
        killer.join()
        _look(database, open_ends, _waiting(boxes), seen)
        say(f"{number + 1}: {seen.acknowledged} acknowledged, {seen.beyond} more committed, faults: {seen.faults}")
    served.start()
    for box in boxes:
        done = deliver_kept(box, served.url)
        if done.waiting or done.refused:
            seen.faults += (f"an outbox is not empty at the end: {done}",)
    served.kill()
    _look_at_all(database, sent, seen)
    return seen


def _fill(boxes, runs_each, number):
    """Put new runs into each outbox until so many wait there."""
    runs = {}
    for box in boxes:
        for _ in range(runs_each - len(_waiting([box]))):
            run = made(number + len(runs), cases=CASES, pairs=PAIRS)
            keep(box, run.id, native.dumps(run))
            runs[run.id] = run
    return runs


def _deliver(boxes, url):
    """Let every client send what it has, all at once; how long that took."""
    clients = [threading.Thread(target=deliver_kept, args=(box, url)) for box in boxes]
    began = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return time.monotonic() - began


def _waiting(boxes):
    return {path.stem for box in boxes for path in box.glob("*.json")}


def _look(database, open_ends, waiting, seen):
    """Whether what was acknowledged is there, whole, and nothing half; what is done leaves `open_ends`."""
    maintenance.check(database)
    seen.kills += 1
    seen.under_way += bool(waiting)
    with open_store(database, readonly=True) as store:
        there = {run_id: found for run_id in open_ends if not isinstance(found := _found(store, run_id), Unknown)}
    seen.faults += tuple(f"run {run_id} is not whole" for run_id in there if there[run_id] != open_ends[run_id])
    acknowledged = open_ends.keys() - waiting
    seen.faults += tuple(f"run {run_id} was acknowledged and is lost" for run_id in acknowledged - there.keys())
    seen.acknowledged += len(acknowledged)
    seen.beyond += len(there.keys() - acknowledged)
    for run_id in acknowledged:
        del open_ends[run_id]


def _found(store, run_id):
    try:
        return store.run(run_id)
    except UsageError as error:
        return Unknown(reason=error.what)


def _look_at_all(database, sent, seen):
    """Whether everything that was sent is there once."""
    maintenance.check(database)
    with open_store(database, readonly=True) as store:
        there = [summary.id for summary in store.runs(limit=len(sent) * 2)]
        if sorted(there) != sorted(sent):
            seen.faults += (f"{len(sent)} runs were sent, {len(there)} are there",)
        seen.sent = len(sent)
        seen.faults += tuple(f"run {each} is not what was sent" for each in there if store.run(each) != sent[each])
