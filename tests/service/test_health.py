"""Whether the service answers, also while others keep it busy."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.service import health, pages
from pytest_xeonperf.service.app import _THREADS
from pytest_xeonperf.store.repository import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.testclient import TestClient

MANY = 2 * _THREADS


class Gate:
    """What a test makes others wait at."""

    def __init__(self) -> None:
        self.waiting = threading.Semaphore(0)
        self.open = threading.Event()

    def wait(self, *_: object, **__: object) -> tuple[()]:
        self.waiting.release()
        assert self.open.wait(60)
        return ()


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Opened at the end at the latest."""
    found = Gate()
    yield found
    found.open.set()


@pytest.fixture
def served(client: TestClient, gate: Gate) -> Iterator[Callable[..., object]]:
    """Asks a running service for a path in another thread; an answer in the future."""
    with client, ThreadPoolExecutor(2 * MANY) as pool:
        yield lambda path: pool.submit(client.get, path)
        gate.open.set()


def test_who_watches_waits_for_nobody_who_reads(served: Callable, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "cases", gate.wait)
    readers = [served("/api/v1/cases") for _ in range(MANY)]
    for _ in range(_THREADS):
        assert gate.waiting.acquire(timeout=30)
    assert served("/readyz").result(timeout=30).status_code == 200
    assert served("/healthz").result(timeout=30).status_code == 200
    gate.open.set()
    assert [reader.result(timeout=30).status_code for reader in readers] == [200] * MANY


def test_who_waits_for_a_page_keeps_nobody_from_what_is_there(
    served: Callable, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = served("/machines.html").result(timeout=30)
    index = pages._index

    def rendered(store: Store) -> object:
        gate.wait()
        return index(store)

    monkeypatch.setattr(pages, "_index", rendered)
    readers = [served("/") for _ in range(MANY)]
    assert gate.waiting.acquire(timeout=30)
    assert served("/api/v1/runs").result(timeout=30).status_code == 200
    assert served("/machines.html").result(timeout=30).content == kept.content
    gate.open.set()
    assert len({reader.result(timeout=30).content for reader in readers}) == 1


@pytest.mark.parametrize("answers", [True, False])
def test_the_history_is_asked_once_in_a_while_however_many_want_to_know(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, *, answers: bool
) -> None:
    asked = []

    def look(*_: object, **__: object) -> tuple[()]:
        asked.append(1)
        if not answers:
            raise InfrastructureError("no database")
        return ()

    monkeypatch.setattr(health, "_GOOD_FOR_S", 3600)
    monkeypatch.setattr(Store, "runs", look)
    assert {client.get("/readyz").status_code for _ in range(5)} == {200 if answers else 503}
    assert len(asked) == 1
    monkeypatch.setattr(health, "_GOOD_FOR_S", 0)
    client.get("/readyz")
    assert len(asked) == 2
