"""Runs near the limit of a body, several brought at once, and the memory that the service takes for them."""

import json
import threading
import time
from dataclasses import dataclass

import httpx2 as httpx
import psutil
from runs import made
from service import Served

from pytest_xeonperf.exchange import native
from pytest_xeonperf.service.app import MOST_BYTES
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope

CASES = 50
_PATIENCE_S = 600
_EVERY_S = 0.02


@dataclass
class Brought:
    """What came of it.

    Attributes:
        idle_bytes: Resident memory of the service before.
        peak_bytes: The most that it was meanwhile.
        statuses: Of the answers.
        took_s: Until the last of them.
    """

    body_bytes: int
    idle_bytes: int
    peak_bytes: int
    statuses: list
    took_s: float


def exported(number, pairs):
    """A run as `xeonperf export --format json` writes it."""
    return json.dumps(_document(number, pairs), indent=1).encode()


def compact(number, pairs):
    """The same without a blank: twice as many values in as many bytes."""
    return json.dumps(_document(number, pairs), separators=(",", ":")).encode()


def _document(number, pairs):
    """A run in our own JSON; one pair again and again, as only their number matters."""
    found = json.loads(native.dumps(made(number, cases=CASES, pairs=1)))
    for result in found["run"]["results"]:
        result["measurement"]["samples"] *= pairs
    return found


def empty(_, pairs):
    """No run at all, but as many objects as bytes can hold."""
    return b"[" + b"{}," * pairs + b"{}]"


SHAPES = {"exported": exported, "compact": compact, "empty": empty}


def large(shape, number, most_bytes):
    """A document of a shape, a little smaller than may be."""
    one, two = (len(shape(number, pairs)) for pairs in (100, 200))
    text = shape(number, 100 + int((0.96 * most_bytes - one) * 100 / (two - one)))
    if len(text) > most_bytes:
        raise ValueError(f"{len(text)} bytes are more than {most_bytes}")
    return text


def bring(database, folder, *, shape="exported", at_once=2, most_bytes=MOST_BYTES):
    """Bring documents of nearly `most_bytes` to a service over an empty history, all at the same time."""
    with open_store(database) as store:
        token = store.create_token("clients", [Scope.INGEST])[1]
    texts = [large(SHAPES[shape], number, most_bytes) for number in range(at_once)]
    served = Served(database, folder / "service.log")
    served.start()
    statuses = []
    try:
        process = psutil.Process(served.process.pid)
        idle = peak = process.memory_info().rss
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

        def send(text):
            answer = httpx.post(f"{served.url}/api/v1/runs", content=text, headers=headers, timeout=_PATIENCE_S)
            statuses.append(answer.status_code)

        clients = [threading.Thread(target=send, args=(text,)) for text in texts]
        began = time.monotonic()
        for client in clients:
            client.start()
        while any(client.is_alive() for client in clients):
            peak = max(peak, process.memory_info().rss)
            time.sleep(_EVERY_S)
        return Brought(
            body_bytes=min(map(len, texts)),
            idle_bytes=idle,
            peak_bytes=peak,
            statuses=statuses,
            took_s=time.monotonic() - began,
        )
    finally:
        served.kill()
