"""Who may do what."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.exchange import native
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

READING = [
    "/",
    "/index.html",
    "/run-01980000-0000-7000-8000-000000000000.html",
    "/case-0.html",
    "/compare.html",
    "/machines.html",
    "/metrics",
    "/badge.svg",
    "/badge/0.svg",
    "/feed.atom",
    "/alerts.html",
    "/alerts-new.html",
    "/alert-0.html",
    "/api/v1/alerts",
    "/api/v1/alerts/0",
    "/api/v1/runs",
    "/api/v1/runs/latest",
    "/api/v1/cases",
    "/api/v1/cases/0/trend",
    "/api/v1/compare",
]


@pytest.mark.parametrize("path", READING)
def test_nothing_is_read_without_a_token_of_that_scope(make_client: Callable, bearing: Callable, path: str) -> None:
    client = make_client(open_to_read=False)
    nobody = client.get(path)
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"].startswith("Basic")
    assert client.get(path, headers=bearing(Scope.INGEST)).status_code == 403
    assert client.get(path, headers=bearing(Scope.READ)).status_code in {200, 404}  # case 0 and alert 0 are none


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_whether_it_lives_may_be_asked_by_everybody(make_client: Callable, path: str) -> None:
    assert make_client(open_to_read=False).get(path).text == "ok\n"


def test_bringing_a_run_needs_its_scope_even_where_reading_is_open(
    client: TestClient, bearing: Callable, recorded: Run
) -> None:
    body = native.dumps(recorded)
    assert client.post("/api/v1/runs", content=body).status_code == 401
    text = bearing(Scope.INGEST)["Authorization"].removeprefix("Bearer ")
    assert client.post("/api/v1/runs", content=body, auth=("a browser", text)).status_code == 401
    refused = client.post("/api/v1/runs", content=body, headers=bearing(Scope.READ))
    assert refused.status_code == 403
    assert "has no scope ingest" in refused.json()["error"]["what"]
    assert client.post("/api/v1/runs", content=body, headers=bearing(Scope.READ, Scope.INGEST)).status_code == 200


def test_a_browser_says_a_token_as_its_password(make_client: Callable, store: Store) -> None:
    client = make_client(open_to_read=False)
    text = store.create_token("browser", [Scope.READ])[1]
    assert client.get("/", auth=("anybody", text)).status_code == 200
    assert client.get("/", auth=(text, "")).status_code == 401


def test_a_revoked_token_is_refused_from_the_next_request_on(make_client: Callable, store: Store) -> None:
    client = make_client(open_to_read=False)
    token, text = store.create_token("leaver", [Scope.READ])
    header = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/runs", headers=header).status_code == 200
    store.revoke_token(token.id)
    assert client.get("/api/v1/runs", headers=header).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer nonsense",
        "Bearer xp__",
        "Bearer xp_id_\x7f",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Digest x",
        "",
    ],
)
def test_whatever_is_no_token_is_refused(make_client: Callable, header: str) -> None:
    assert make_client(open_to_read=False).get("/", headers={"Authorization": header}).status_code == 401


def test_only_the_names_it_is_told_of_are_answered(make_client: Callable) -> None:
    client = make_client(hosts=("localhost", "127.0.0.1"))
    assert client.get("/healthz", headers={"Host": "localhost:8765"}).status_code == 200
    rebound = client.get("/", headers={"Host": "evil.example"})
    assert rebound.status_code == 400
    assert rebound.headers["x-content-type-options"] == "nosniff"
