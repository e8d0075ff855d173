"""The JSON API."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import RunState
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


@pytest.fixture
def ingesting(bearing: Callable) -> dict[str, str]:
    """The header of who may bring runs."""
    return bearing(Scope.INGEST)


def test_a_run_is_added_once_however_often_it_is_sent(
    client: TestClient, store: Store, ingesting: dict[str, str], recorded: Run
) -> None:
    run = replace(recorded, id="third", started_at="2026-09-20T10:00:00+00:00")
    answers = [client.post("/api/v1/runs", content=native.dumps(run), headers=ingesting) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert [answer.json() for answer in answers] == [{"run": "third", "new": new} for new in (True, False, False)]
    assert store.run("third") == run
    changed = replace(run, state=RunState.INTERRUPTED)
    assert client.post("/api/v1/runs", content=native.dumps(changed), headers=ingesting).json()["new"] is False
    assert store.run("third") == run


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no UTF-8"),
        (b'{"schema": "xeonperf/9"}', "the schema is 'xeonperf/9'"),
        (b'{"schema": "xeonperf/2", "run": {}}', "'id' is missing @ run"),
        (b"[" * 100_000, "no JSON"),
    ],
)
def test_a_body_that_is_no_run_is_refused_with_the_place(
    client: TestClient, store: Store, ingesting: dict[str, str], body: bytes, complaint: str
) -> None:
    answer = client.post("/api/v1/runs", content=body, headers=ingesting)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert complaint in error["what"]
    assert error["where"] == "body"
    assert len(store.runs()) == 2


def test_a_truncated_run_leaves_nothing_behind(
    client: TestClient, store: Store, ingesting: dict[str, str], recorded: Run
) -> None:
    text = native.dumps(replace(recorded, id="third"))
    assert client.post("/api/v1/runs", content=text[: len(text) // 2], headers=ingesting).status_code == 400
    assert len(store.runs()) == 2


def test_a_body_is_read_no_further_than_it_may_be_large(make_client: Callable, ingesting: dict[str, str]) -> None:
    sent = []

    def endless():
        for _ in range(1000):
            sent.append(1)
            yield b" " * 1000

    answer = make_client(most_bytes=10_000).post("/api/v1/runs", content=endless(), headers=ingesting)
    assert answer.status_code == 413
    assert answer.json()["error"]["what"] == "more than 10000 bytes"


def test_runs_are_listed_newest_first_and_a_run_is_what_show_says(client: TestClient, recorded: Run) -> None:
    runs = client.get("/api/v1/runs").json()["runs"]
    assert [run["id"] for run in runs] == [recorded.id, "first"]
    assert len(client.get("/api/v1/runs?limit=1").json()["runs"]) == 1
    assert client.get("/api/v1/runs?branch=nowhere").json() == {"runs": []}
    shown = client.get("/api/v1/runs/latest").json()
    assert shown["schema"] == "xeonperf-show/1"
    assert shown["run"]["id"] == recorded.id
    assert client.get("/api/v1/runs/first").json()["run"]["id"] == "first"


def test_cases_have_their_trends(client: TestClient) -> None:
    cases = client.get("/api/v1/cases").json()["cases"]
    assert {case["variant"] for case in cases} == {"compiled_bf16", "woq_int8", "eager_bf16"}
    compiled = next(case["id"] for case in cases if case["variant"] == "compiled_bf16")
    points = client.get(f"/api/v1/cases/{compiled}/trend").json()["points"]
    assert [point["speedup"]["ratio"] for point in points] == [3.5, 3.5]
    assert client.get("/api/v1/cases/unknown/trend").json() == {"points": []}


def test_two_runs_are_compared_as_the_command_does_it(client: TestClient) -> None:
    found = client.get("/api/v1/compare?base=first&head=latest").json()
    assert found["schema"] == "xeonperf-compare/1"
    assert found["base"]["run"] == "first"


@pytest.mark.parametrize(
    ("path", "status", "complaint"),
    [
        ("/api/v1/runs/nothing", 404, "no run, commit or branch 'nothing'"),
        ("/api/v1/runs?limit=0", 400, "limit '0'"),
        ("/api/v1/runs?limit=99999999999999999999", 400, "no number from 1 to 1000"),
        ("/api/v1/runs?limit=%F0%9D%9F%9A", 400, "no number"),
        ("/api/v1/compare?base=nothing", 404, "'nothing'"),
        ("/api/v1/nothing", 404, "Not Found"),
    ],
)
def test_errors_are_json_that_says_what(client: TestClient, path: str, status: int, complaint: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert complaint in answer.json()["error"]["what"]
    assert json.loads(answer.text)


def test_other_methods_are_refused(client: TestClient) -> None:
    assert client.delete("/api/v1/runs/first").status_code == 405
    assert client.put("/").status_code == 405
