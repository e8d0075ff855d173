"""``/metrics``, read by another program's parser."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from pytest_xeonperf.alerts import AlertState, Triage
from pytest_xeonperf.exchange import native
from pytest_xeonperf.service.app import Service, application
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.repository import Store
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from prometheus_client import Metric
    from starlette.testclient import TestClient

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run


def scraped(client: TestClient, query: str = "") -> dict[str, Metric]:
    answer = client.get(f"/metrics{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def counted(client: TestClient, name: str) -> dict[tuple[str, ...], float]:
    return {tuple(sample.labels.values()): sample.value for sample in scraped(client)[name].samples}


def test_every_case_has_its_newest_figures(client: TestClient, store: Store, recorded: Run) -> None:
    cheaper = replace(recorded.machine, threads=1)
    store.add_run(replace(recorded, id="01999999-0000-7000-8000-000000000000", machine=cheaper))
    found = scraped(client)
    speedups = found["xeonperf_speedup_ratio"].samples
    machines = {sample.labels["machine"] for sample in speedups if sample.labels["variant"] == "compiled_bf16"}
    assert machines == {recorded.machine.comparability_class, cheaper.comparability_class}
    assert len(found["xeonperf_run"].samples) == 2
    assert found["xeonperf_latency_seconds"].unit == "seconds"
    held = {s.labels["xeonperf_verdict"] for s in found["xeonperf_verdict"].samples if s.value}
    assert held == {result.verdict.outcome.value for result in recorded.results}


def test_one_branch_can_be_asked_for(client: TestClient) -> None:
    assert "xeonperf_speedup_ratio" in scraped(client, "?branch=main")
    assert "xeonperf_speedup_ratio" not in scraped(client, "?branch=nowhere")


def test_an_empty_history_has_the_service_s_own_figures(tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    with open_store(str(tmp_path / "empty.db")) as store:
        found = scraped(TestClient(application(Service(store=store, open_to_read=True))))
    assert "xeonperf_run" not in found
    assert 0 < found["process_start_time_seconds"].samples[0].value <= time.time()


def test_answers_are_counted_by_route_and_class_of_status(client: TestClient) -> None:
    for path in ("/", "/index.html", "/run-nothing.html", "/nowhere", "/else/where", "/healthz", "/api/v1/runs/latest"):
        client.get(path)
    client.put("/healthz")
    requests = counted(client, "xeonperf_http_requests")
    pages = {key: number for key, number in requests.items() if key[0] in {"/", "/index.html"}}
    assert sum(pages.values()) == 2
    assert requests["/run-{run_id}.html", "4xx"] == 1
    assert requests["none", "4xx"] == 2
    assert requests["/healthz", "2xx"] == 1
    assert requests["/healthz", "4xx"] == 1
    assert requests["/api/v1/runs/{revision:path}", "2xx"] == 1


def test_a_defect_is_counted_as_one(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Store, "cases", fail)
    client._transport.raise_server_exceptions = False
    assert client.get("/api/v1/cases").status_code == 500
    assert counted(client, "xeonperf_http_requests")["/api/v1/cases", "5xx"] == 1


def test_runs_that_come_in_are_counted(client: TestClient, bearing: Callable, recorded: Run) -> None:
    headers = bearing(Scope.INGEST)
    new = native.dumps(replace(recorded, id="01999999-0000-7000-8000-000000000000"))
    for body in (new, new, "{}", native.dumps(replace(recorded, command="another"))):
        client.post("/api/v1/runs", content=body, headers=headers)
    assert counted(client, "xeonperf_received_runs") == {("new",): 1, ("known",): 1, ("refused",): 2}


def test_alerts_are_counted_by_state(client: TestClient, store: Store, alert: Alert) -> None:
    assert counted(client, "xeonperf_alerts") == {(state,): float(state == "new") for state in AlertState}
    store.triage(alert.id, Triage(state=AlertState.INVESTIGATING), by="Ann", at="2026-10-04T10:00:00+00:00")
    assert counted(client, "xeonperf_alerts")["investigating",] == 1
    assert sum(counted(client, "xeonperf_alerts").values()) == 1
