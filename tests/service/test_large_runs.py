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
def bring_two(client: TestClient, bearing: Callable) -> Callable[[], list[int]]:
    """Brings two runs at once; the statuses of the answers."""
    headers = bearing(Scope.INGEST)

    async def both() -> list[int]:
        statuses: list[int] = []
        async with (
            httpx.AsyncClient(transport=httpx.ASGITransport(app=client.app), base_url="http://service") as sender,
            anyio.create_task_group() as group,
        ):

            async def one() -> None:
                statuses.append((await sender.post("/api/v1/runs", content=b"{}", headers=headers)).status_code)

            for _ in range(2):
                group.start_soon(one)
        return statuses

    return lambda: anyio.run(both)


def test_small_runs_are_read_two_at_a_time(bring_two: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=30)

    def read(*_: object) -> Response:
        both.wait()
        return JSONResponse({}, status_code=201)

    monkeypatch.setattr(api, "_ingested", read)
    assert bring_two() == [201, 201]


def test_large_runs_are_read_one_after_the_other(bring_two: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert bring_two() == [201, 201]
    assert not beside.is_set()
