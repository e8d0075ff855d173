"""Only what changes something has a body."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import pytest

from pytest_xeonperf.service.bodies import NoBodies

if TYPE_CHECKING:
    from starlette.testclient import TestClient

READING = [
    "/", "/machines.html", "/compare.html", "/metrics", "/badge.svg", "/feed.atom", "/healthz", "/readyz",
    "/api/v1/runs", "/api/v1/cases", "/api/v1/compare", "/api/v1/openapi.json", "/nowhere",
]  # fmt: skip


@pytest.mark.parametrize("path", READING)
def test_whoever_reads_sends_nothing(client: TestClient, path: str) -> None:
    refused = client.request("GET", path, content=b"x")
    assert refused.status_code == 413
    assert refused.json()["error"]["what"] == "GET takes no body"
    assert refused.headers["x-content-type-options"] == "nosniff"
    chunked = client.request("GET", path, content=iter([b"x"]))
    assert chunked.status_code == 413


def test_a_body_of_nothing_is_none(client: TestClient) -> None:
    assert client.request("GET", "/healthz", headers={"Content-Length": "0"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/machines.html", "/metrics", "/api/v1/cases"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_where_nothing_can_be_changed_no_body_is_read(client: TestClient, path: str, method: str) -> None:
    assert client.request(method, path, content=b"x" * 1000).status_code == 405


def test_a_refused_body_is_not_read() -> None:
    async def never(*_: object) -> None:
        pytest.fail("it was read, or passed on")

    sent = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "DELETE", "headers": [(b"content-length", b"7")]}
    anyio.run(NoBodies(never), scope, never, send)
    assert sent[0]["status"] == 413
