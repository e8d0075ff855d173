"""Bodies that come slowly, and many of them at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import httpx2 as httpx
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pytest_xeonperf.exchange import native
from pytest_xeonperf.service import receiving
from pytest_xeonperf.service.receiving import Room, body
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


def request_of(parts: int, *, part: bytes, pause_s: float) -> Request:
    """A request whose body comes in parts, each after a pause."""
    left = [part] * parts

    async def receive() -> dict[str, object]:
        await anyio.sleep(pause_s)
        sent = left.pop()
        return {"type": "http.request", "body": sent, "more_body": bool(left)}

    return Request({"type": "http", "method": "POST", "headers": []}, receive)


def test_a_body_that_goes_on_coming_may_take_longer_than_any_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_LONGEST_PAUSE_S", 0.2)
    assert anyio.run(body, request_of(30, part=b"x", pause_s=0.02), 100) == b"x" * 30


def test_a_body_that_has_stopped_is_waited_for_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_LONGEST_PAUSE_S", 0.05)
    with pytest.raises(HTTPException, match="the body stopped") as caught:
        anyio.run(body, request_of(2, part=b"x", pause_s=30), 100)
    assert caught.value.status_code == 408


@pytest.fixture
def half_a_second_for_thirty_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_HEAD_START_S", 0.2)
    monkeypatch.setattr(receiving, "_LEAST_BYTES_PER_S", 100)


@pytest.mark.usefixtures("half_a_second_for_thirty_bytes")
def test_a_trickle_does_not_last_for_ever() -> None:
    with pytest.raises(HTTPException, match="the body comes too slowly") as caught:
        anyio.run(body, request_of(30, part=b"x", pause_s=0.05), 100)
    assert caught.value.status_code == 408


@pytest.mark.usefixtures("half_a_second_for_thirty_bytes")
def test_as_slow_as_may_be_is_fast_enough() -> None:
    assert anyio.run(body, request_of(30, part=b"x", pause_s=0.01), 100) == b"x" * 30


def said_to_have(size: int) -> Request:
    """A request with a body of a size."""
    return Request({"type": "http", "method": "POST", "headers": [(b"content-length", str(size).encode())]})


def test_a_body_waits_for_the_room_that_another_gives_back() -> None:
    async def both() -> list[str]:
        room, done = Room(100, small_bytes=100, for_small_bytes=0), []

        async def one(name: str, takes_s: float) -> None:
            async with room.kept(said_to_have(60), 100):
                await anyio.sleep(takes_s)
                done.append(name)

        async with anyio.create_task_group() as group:
            group.start_soon(one, "first", 0.1)
            await anyio.sleep(0.02)
            group.start_soon(one, "second", 0)
        return done

    assert anyio.run(both) == ["first", "second"]


def test_who_waits_for_room_too_long_is_told_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_LONGEST_WAIT_S", 0.05)

    async def wait() -> None:
        room = Room(100, small_bytes=100, for_small_bytes=0)
        async with room.kept(said_to_have(60), 100), room.kept(said_to_have(40), 100):
            with pytest.raises(HTTPException, match="too much is on its way") as caught:
                await room.kept(said_to_have(1), 100).__aenter__()
        assert (caught.value.status_code, "Retry-After" in caught.value.headers) == (503, True)
        async with room.kept(said_to_have(100), 100):  # all of it is there again
            pass

    anyio.run(wait)


def test_large_bodies_leave_room_for_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "_LONGEST_WAIT_S", 0.05)

    async def all_three() -> None:
        room = Room(100, small_bytes=10, for_small_bytes=20)
        async with room.kept(said_to_have(80), 80):
            with pytest.raises(HTTPException, match="too much"):
                await room.kept(said_to_have(11), 80).__aenter__()
            async with room.kept(said_to_have(10), 80):
                pass

    anyio.run(all_three)


@pytest.mark.parametrize("said", [[], [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")]])
def test_of_a_body_that_does_not_say_its_size_the_most_is_expected(
    said: list[tuple[bytes, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_LONGEST_WAIT_S", 0.05)

    async def both() -> None:
        room = Room(100, small_bytes=100, for_small_bytes=0)
        async with room.kept(Request({"type": "http", "method": "POST", "headers": said}), 60):
            with pytest.raises(HTTPException, match="too much"):
                await room.kept(said_to_have(41), 60).__aenter__()

    anyio.run(both)


@pytest.mark.parametrize(("told", "status"), [("00000000000000000099", 413), ("9" * 5000, 413), ("\xb2", 0), ("", 0)])
def test_a_length_is_what_it_says_however_it_is_written(told: str, status: int) -> None:
    async def keep() -> int:
        headers = [(b"content-length", told.encode("latin-1"))]
        try:
            async with Room(90, small_bytes=90, for_small_bytes=0).kept(
                Request({"type": "http", "method": "POST", "headers": headers}), 90
            ):
                return 0
        except HTTPException as refused:
            return refused.status_code

    assert anyio.run(keep) == status


def test_slow_senders_keep_nobody_from_bringing_a_run(
    client: TestClient, store: Store, bearing: Callable, recorded: Run
) -> None:
    run = replace(recorded, id="01999999-0000-7000-8000-000000000000")
    headers = bearing(Scope.INGEST)
    half_of = {"Content-Length": "2"}

    async def half(under_way: anyio.Event) -> AsyncIterator[bytes]:
        yield b"{"
        under_way.set()
        await anyio.sleep_forever()

    async def bring() -> int:
        transport, under_way = httpx.ASGITransport(app=client.app), [anyio.Event() for _ in range(3)]
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://service", headers=headers) as sender,
            anyio.create_task_group() as slow,
        ):
            with anyio.fail_after(20):
                for each in under_way:
                    slow.start_soon(lambda each=each: sender.post("/api/v1/runs", content=half(each), headers=half_of))
                    await each.wait()
                status = (await sender.post("/api/v1/runs", content=native.dumps(run))).status_code
            slow.cancel_scope.cancel()
        return status

    assert anyio.run(bring) == 201
    assert store.run(run.id) == run
