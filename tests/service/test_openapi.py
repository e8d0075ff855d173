"""The description of the API is that of the API."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Route

from pytest_xeonperf.exchange import native
from pytest_xeonperf.service.openapi import document
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

OPERATIONS = [(path, method) for path, methods in document()["paths"].items() for method in methods]


def test_every_route_for_programs_is_described_and_no_other(client: TestClient) -> None:
    there = {
        (route.path.replace(":path", ""), method.lower())
        for route in client.app.app.app.routes  # behind safe headers and trusted names
        if isinstance(route, Route) and not route.path.endswith((".html", "openapi.json")) and route.path != "/"
        for method in route.methods - {"HEAD"}
    }
    assert there == set(OPERATIONS)


@pytest.mark.parametrize("path", document()["paths"])
def test_every_path_that_is_described_is_in_the_readme(path: str) -> None:
    assert path in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_it_is_served_to_everybody(make_client: Callable) -> None:
    assert make_client(open_to_read=False).get("/api/v1/openapi.json").json() == document()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_answers_have_what_is_described(
    client: TestClient, store: Store, bearing: Callable, recorded: Run, alert: Alert, *, path: str, method: str
) -> None:
    operation = document()["paths"][path][method]
    case_id = store.cases()[0].id
    address = path.format(revision="latest", case_id=case_id, alert_id=alert.id)
    if method == "post" and "alerts" in path:
        answer = client.post(address, json={"state": "acknowledged"}, headers=bearing(Scope.TRIAGE))
        assert answer.status_code == 200
    elif method == "post":
        body = native.dumps(replace(recorded, id="01999999-0000-7000-8000-000000000000"))
        answer = client.post(address, content=body, headers=bearing(Scope.INGEST))
    else:
        answer = client.get(address)
    described = operation["responses"][str(answer.status_code)]["content"]
    (media_type,) = described
    assert answer.headers["content-type"].partition(";")[0] == media_type
    if media_type == "application/json":
        reference = described[media_type]["schema"]["$ref"]
        _has(answer.json(), document()["components"]["schemas"][reference.rpartition("/")[2]])


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method in OPERATIONS if not path.endswith("z")])
def test_a_description_says_that_one_may_have_to_wait(path: str, method: str) -> None:
    assert "429" in document()["paths"][path][method]["responses"]


@pytest.mark.parametrize("path", [path for path, method in OPERATIONS if method == "post"])
def test_a_description_says_that_a_body_may_be_too_slow(path: str) -> None:
    assert "408" in document()["paths"][path]["post"]["responses"]


def test_errors_have_what_is_described(client: TestClient) -> None:
    _has(client.get("/api/v1/runs/nothing").json(), document()["components"]["schemas"]["Error"])


def _has(value: Any, schema: dict[str, Any]) -> None:
    if "const" in schema:
        assert value == schema["const"]
        return
    assert isinstance(value, {"object": dict, "array": list, "string": str, "boolean": bool}[schema["type"]])
    for name in schema.get("required", ()):
        _has(value[name], schema["properties"][name])
