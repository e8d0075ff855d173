"""Runs that take much memory while they are read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import anyio
import httpx2 as httpx
import pytest
from starlette.responses import JSONResponse, Response

from pytest_xeonperf.service import api
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient


@pytest.fixture
def bring(client: TestClient, bearing: Callable) -> Callable[..., list[int]]:
    """Brings runs at once; the statuses of the answers."""
    headers = bearing(Scope.INGEST)

    async def all_of(texts: tuple[bytes, ...]) -> list[int]:
        statuses: list[int] = []
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(app=client.app), base_url="http://service") as sender,
            anyio.create_task_group() as group,
        ):

            async def one(text: bytes) -> None:
                statuses.append((await sender.post("/api/v1/runs", content=text, headers=headers)).status_code)

            for text in texts:
                group.start_soon(one, text)
        return statuses

    return lambda *texts: anyio.run(all_of, texts)


def test_small_runs_are_read_two_at_a_time(bring: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=30)

    def read(*_: object) -> Response:
        both.wait()
        return JSONResponse({}, status_code=201)

    monkeypatch.setattr(api, "_ingested", read)
    assert bring(b"{}", b"{}") == [201, 201]


def test_large_runs_are_read_one_after_the_other(bring: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = threading.Event()
    under_way = threading.Lock()

    def read(*_: object) -> Response:
        if not under_way.acquire(blocking=False):
            beside.set()
            return JSONResponse({}, status_code=201)
        beside.wait(0.2)
        under_way.release()
        return JSONResponse({}, status_code=201)

    monkeypatch.setattr(api, "_ingested", read)
    monkeypatch.setattr(api, "_LARGE_BYTES", 1)
    assert bring(b"{}", b"{}") == [201, 201]
    assert not beside.is_set()


def test_large_runs_that_wait_for_one_another_keep_no_small_one_waiting(
    bring: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_was_read = threading.Event()

    def read(_: object, sent: bytes, *__: object) -> Response:
        if len(sent) == 1:
            small_was_read.set()
        return JSONResponse({}, status_code=201 if small_was_read.wait(10) else 500)

    monkeypatch.setattr(api, "_ingested", read)
    monkeypatch.setattr(api, "_LARGE_BYTES", 1)
    assert bring(b"{}", b"{}", b"{}", b"1") == [201] * 4
