"""Alerts as JSON, and what comes in raising them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.alerts import AlertState, EventKind
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange import native
from pytest_xeonperf.service.alerts import MOST_BYTES
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


def test_a_run_that_comes_in_raises_what_its_cases_tell(
    client: TestClient, store: Store, bearing: Callable, recorded: Run, slow_down: Callable
) -> None:
    runs = slow_down(store, recorded)
    body = native.dumps(replace(runs[-1], id="01999999-0000-7000-8000-000000000000"))
    for status in (201, 200):
        assert client.post("/api/v1/runs", content=body, headers=bearing(Scope.INGEST)).status_code == status
    (alert,) = store.alerts()
    assert alert.run_id == runs[16].id


def test_alerts_that_cannot_be_raised_cost_no_run(
    client: TestClient,
    store: Store,
    bearing: Callable,
    recorded: Run,
    *,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DataError("broken")

    monkeypatch.setattr("pytest_xeonperf.service.watching.watch_series", refuse)
    run = replace(recorded, id="01999999-0000-7000-8000-000000000000")
    assert client.post("/api/v1/runs", content=native.dumps(run), headers=bearing(Scope.INGEST)).status_code == 201
    assert store.run(run.id) == run
    assert "were not looked at for alerts: broken" in caplog.text


def test_alerts_are_listed_by_state_case_and_machine(client: TestClient, alert: Alert) -> None:
    for query in ("", "?state=open", "?state=new", f"?case={alert.case.id}", f"?machine={alert.comparability_class}"):
        document = client.get(f"/api/v1/alerts{query}").json()
        assert document["schema"] == "xeonperf-alerts/1"
        assert [each["id"] for each in document["alerts"]] == [alert.id], query
    for query in ("?state=fixed", "?case=x", "?machine=x"):
        assert client.get(f"/api/v1/alerts{query}").json()["alerts"] == []
    refused = client.get("/api/v1/alerts?state=gone")
    assert refused.status_code == 400
    assert "none of open, new, acknowledged" in refused.json()["error"]["what"]


def test_one_alert_has_its_history(client: TestClient, alert: Alert) -> None:
    document = client.get(f"/api/v1/alerts/{alert.id}").json()
    assert document["alert"]["id"] == alert.id
    assert [event["kind"] for event in document["events"]] == ["raised"]
    assert client.get("/api/v1/alerts/nothing").status_code == 404


def test_a_decision_is_kept_under_the_name_of_the_token(
    client: TestClient, store: Store, bearing: Callable, alert: Alert
) -> None:
    said = {"state": "expected", "assignee": "ann", "note": "since #41", "issue_url": "https://x.example/41"}
    answer = client.post(f"/api/v1/alerts/{alert.id}", json=said, headers=bearing(Scope.TRIAGE))
    assert answer.status_code == 200
    assert answer.json()["alert"]["state"] == "expected"
    event = store.alert_events(alert.id)[-1]
    assert (event.kind, event.by, event.note) == (EventKind.TRIAGED, "somebody", "since #41")
    (word,) = store.acceptances(alert.comparability_class, until="9999")
    assert (word.run_id, word.accepted_by) == (alert.run_id, "somebody")


def test_deciding_needs_its_scope_even_where_reading_is_open(
    client: TestClient, store: Store, bearing: Callable, alert: Alert
) -> None:
    address, said = f"/api/v1/alerts/{alert.id}", {"state": "fixed"}
    assert client.post(address, json=said).status_code == 401
    for scope in (Scope.READ, Scope.INGEST):
        refused = client.post(address, json=said, headers=bearing(scope))
        assert refused.status_code == 403
        assert "has no scope triage" in refused.json()["error"]["what"]
    password = bearing(Scope.TRIAGE)["Authorization"].removeprefix("Bearer ")
    assert client.post(address, json=said, auth=("a browser", password)).status_code == 401
    assert store.alert(alert.id).state is AlertState.NEW


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (b"", 400, "body"),
        (b"[]", 400, "body"),
        (b"\xff", 400, "body"),
        (b"[" * 20_000, 400, "body"),
        (b"{}", 400, ""),
        (b'{"state": "gone"}', 400, "state"),
        (b'{"state": null}', 400, "state"),
        (b'{"colour": "red"}', 400, ""),
        (b'{"note": 7}', 400, "note"),
        (b'{"note": "\\ud800"}', 400, "note"),
        (b'{"assignee": "\\u0000"}', 400, "assignee"),
        (b'{"issue_url": "javascript:alert(1)"}', 400, "issue_url"),
        (b'{"note": "' + b"x" * MOST_BYTES + b'"}', 413, ""),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_place(
    client: TestClient, store: Store, bearing: Callable, alert: Alert, *, body: bytes, status: int, where: str
) -> None:
    answer = client.post(f"/api/v1/alerts/{alert.id}", content=body, headers=bearing(Scope.TRIAGE))
    assert answer.status_code == status
    assert answer.json()["error"]["where"] == where
    assert store.alert(alert.id) == alert


def test_another_kind_of_body_and_an_alert_that_is_not_there_are_refused(
    client: TestClient, bearing: Callable, alert: Alert
) -> None:
    headers = bearing(Scope.TRIAGE)
    kind = {**headers, "Content-Type": "text/plain"}
    assert client.post(f"/api/v1/alerts/{alert.id}", content=b'{"state": "fixed"}', headers=kind).status_code == 415
    assert client.post("/api/v1/alerts/nothing", json={"state": "fixed"}, headers=headers).status_code == 404
    assert client.delete(f"/api/v1/alerts/{alert.id}", headers=headers).status_code == 405
