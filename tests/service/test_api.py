"""The JSON API."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import RunState, Unknown
from pytest_xeonperf.service.receiving import body
from pytest_xeonperf.store.repository import Store
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.records import Run


THIRD = "01999999-0000-7000-8000-000000000000"


@pytest.fixture
def ingesting(bearing: Callable) -> dict[str, str]:
    """The header of who may bring runs."""
    return bearing(Scope.INGEST)


def test_a_run_is_added_once_however_often_it_is_sent(
    client: TestClient, store: Store, ingesting: dict[str, str], recorded: Run
) -> None:
    run = replace(recorded, id=THIRD, started_at="2026-09-20T10:00:00+00:00")
    answers = [client.post("/api/v1/runs", content=native.dumps(run), headers=ingesting) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert [answer.json() for answer in answers] == [{"run": THIRD, "new": new} for new in (True, False, False)]
    assert store.run(THIRD) == run
    changed = replace(run, command="another")
    refused = client.post("/api/v1/runs", content=native.dumps(changed), headers=ingesting)
    assert refused.status_code == 409
    assert THIRD in refused.json()["error"]["what"]
    assert store.run(THIRD) == run


def test_a_run_may_be_sent_again_whose_commit_somebody_else_has_described_in_other_words(
    client: TestClient, ingesting: dict[str, str], recorded: Run
) -> None:
    run = replace(recorded, id=THIRD, commit=replace(recorded.commit, subject="Faster, again", author="B"))
    answers = [client.post("/api/v1/runs", content=native.dumps(run), headers=ingesting) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]


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


def test_a_run_that_is_not_finished_is_not_taken(
    client: TestClient, store: Store, ingesting: dict[str, str], recorded: Run
) -> None:
    half = replace(recorded, id=THIRD, state=RunState.RUNNING, finished_at=Unknown(reason="still running"))
    answer = client.post("/api/v1/runs", content=native.dumps(half), headers=ingesting)
    assert answer.status_code == 400
    assert answer.json()["error"]["where"] == "run.state"
    assert len(store.runs()) == 2


def test_another_kind_of_body_is_refused_unread(client: TestClient, ingesting: dict[str, str]) -> None:
    answer = client.post("/api/v1/runs", content=b"{}", headers={**ingesting, "Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_a_fault_of_the_history_is_none_of_the_run_and_tells_no_stranger_where_it_is(
    client: TestClient, ingesting: dict[str, str], recorded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bool:
        raise DataError("the database is read-only", where="/var/lib/secret/xeonperf.db")

    monkeypatch.setattr(Store, "add_run", refuse)
    monkeypatch.setattr(Store, "runs", refuse)
    body = native.dumps(replace(recorded, id=THIRD))
    for answer in (client.post("/api/v1/runs", content=body, headers=ingesting), client.get("/readyz")):
        assert answer.status_code == 503
        assert "secret" not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/compare", "/compare.html"])
def test_data_that_does_not_do_for_what_is_asked_is_told_as_that(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, store: Store, path: str
) -> None:
    for what, status in (("no finite pairs to estimate from", 422), (f"no database at {store.where}", 503)):

        def refuse(*_: object, what: str = what, **__: object) -> None:
            raise DataError(what, remedy="measure at least one round")

        monkeypatch.setattr(Store, "sessions", refuse)
        answer = client.get(path)
        assert answer.status_code == status
        assert (what in answer.text) is (status == 422)


def test_a_defect_is_told_as_one_with_safe_headers(make_client: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(Store, "cases", fail)
    client = make_client()
    client._transport.raise_server_exceptions = False
    answer = client.get("/api/v1/cases")
    assert answer.status_code == 500
    assert answer.json()["error"]["what"] == "a defect of the service"
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_is_said_back_of_a_bad_body_is_cut(client: TestClient, ingesting: dict[str, str]) -> None:
    body = json.dumps({"schema": "x" * 100_000})
    assert len(client.post("/api/v1/runs", content=body, headers=ingesting).text) < 2000


def test_a_truncated_run_leaves_nothing_behind(
    client: TestClient, store: Store, ingesting: dict[str, str], recorded: Run
) -> None:
    text = native.dumps(replace(recorded, id=THIRD))
    assert client.post("/api/v1/runs", content=text[: len(text) // 2], headers=ingesting).status_code == 400
    assert len(store.runs()) == 2


def test_a_body_is_read_no_further_than_it_may_be_large() -> None:
    asked = []

    async def receive() -> dict[str, object]:
        asked.append(1)
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}

    request = Request({"type": "http", "method": "POST", "headers": []}, receive)
    with pytest.raises(HTTPException, match="more than 10000 bytes"):
        anyio.run(body, request, 10_000)
    assert len(asked) == 11


def test_a_body_that_says_it_is_too_large_is_not_read(make_client: Callable, ingesting: dict[str, str]) -> None:
    answer = make_client(most_bytes=10).post("/api/v1/runs", content=b" " * 11, headers=ingesting)
    assert answer.status_code == 413


def test_runs_are_listed_newest_first_and_a_run_is_what_show_says(
    client: TestClient, recorded: Run, first: str
) -> None:
    runs = client.get("/api/v1/runs").json()["runs"]
    assert [run["id"] for run in runs] == [recorded.id, first]
    assert len(client.get("/api/v1/runs?limit=1").json()["runs"]) == 1
    assert client.get("/api/v1/runs?branch=nowhere").json() == {"runs": [], "older": ""}
    shown = client.get("/api/v1/runs/latest").json()
    assert shown["schema"] == "xeonperf-show/1"
    assert shown["run"]["id"] == recorded.id
    assert client.get(f"/api/v1/runs/{first}").json()["run"]["id"] == first


def test_cases_have_their_trends(client: TestClient) -> None:
    cases = client.get("/api/v1/cases").json()["cases"]
    assert {case["variant"] for case in cases} == {"compiled_bf16", "woq_int8", "eager_bf16"}
    compiled = next(case["id"] for case in cases if case["variant"] == "compiled_bf16")
    points = client.get(f"/api/v1/cases/{compiled}/trend").json()["points"]
    assert [point["speedup"]["ratio"] for point in points] == [3.5, 3.5]
    assert client.get("/api/v1/cases/unknown/trend").json() == {"points": [], "older": ""}


def test_two_runs_are_compared_as_the_command_does_it(client: TestClient, first: str) -> None:
    found = client.get(f"/api/v1/compare?base={first}&head=latest").json()
    assert found["schema"] == "xeonperf-compare/1"
    assert found["base"]["run"] == first


@pytest.mark.parametrize(
    ("path", "status", "complaint"),
    [
        ("/api/v1/runs/nothing", 404, "no run, commit or branch 'nothing'"),
        ("/api/v1/runs?limit=000000001999", 400, "no number"),
        ("/api/v1/runs/feature/x", 404, "'feature/x'"),
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
    refused = client.delete("/api/v1/runs")
    assert refused.status_code == 405
    assert {"GET", "POST"} <= set(refused.headers["allow"].split(", "))
    assert client.delete("/api/v1/runs/latest").status_code == 405
    assert client.put("/").status_code == 405
