"""The API, described for programs: OpenAPI 3.1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.exchange import native
from pytest_xeonperf.exchange.triage import LONGEST
from pytest_xeonperf.report.render import package_version
from pytest_xeonperf.service.budgets import address_of, require_permit

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_xeonperf.service.app import Service

_SUMMARY = "Runs, trends, comparisons and alerts."
_OBJECT = {"type": "object"}
_TEXT = {"type": "string"}
_LIST = {"type": "array", "items": _OBJECT}
_BEFORE = {**_TEXT, "description": "What `older` was in an answer: what comes after it, from new to old."}
_OLDER = {**_TEXT, "description": "What to say as `before` for what is older; empty where there is nothing."}
_COUNT = {"type": "integer", "minimum": 1, "maximum": 1000}


def _record(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


_RUN = _record(schema={"enum": list(native.READ)}, run=_record(id={"type": "string", "format": "uuid"}))
"""No more than its frame: what is inside is told with its place where it is wrong."""


def route(service: Service) -> Route:
    """``/api/v1/openapi.json``, which everybody may read: it says nothing of the history."""
    found = JSONResponse(document()).body

    async def described(request: Request) -> Response:
        """This document."""
        require_permit(service.budgets.reads.spend(address_of(request)))
        return Response(found, media_type="application/json")

    return Route("/api/v1/openapi.json", described)


def document() -> dict[str, Any]:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "pytest-xeonperf", "version": package_version(), "summary": _SUMMARY},
        "security": [{"bearer": []}],
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "From `xeonperf token create`."}
            },
            "schemas": {
                "Error": _record(error=_record(what=_TEXT, where=_TEXT, remedy=_TEXT)),
                "Ingested": _record(run=_TEXT, new={"type": "boolean"}),
                "Runs": _record(runs=_LIST, older=_OLDER),
                "Cases": _record(cases=_LIST),
                "Trend": _record(points=_LIST, older=_OLDER),
                "Run": _record(schema={"const": "xeonperf-show/1"}, run=_OBJECT, machine=_OBJECT, cases=_LIST),
                "Comparison": _record(
                    schema={"const": "xeonperf-compare/1"}, verdict=_TEXT, base=_OBJECT, head=_OBJECT, cases=_LIST
                ),
                "Alerts": _record(schema={"const": "xeonperf-alerts/1"}, alerts=_LIST, older=_OLDER),
                "Alert": _record(schema={"const": "xeonperf-alert/1"}, alert=_OBJECT, events=_LIST),
                "Triage": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": False,
                    "properties": {"state": {"enum": list(AlertState)}, **_texts()},
                },
            },
        },
        "paths": {
            "/api/v1/runs": {
                "get": _reads(
                    "The newest runs, newest first.",
                    "Runs",
                    _query("limit", _COUNT),
                    _query("before", _BEFORE),
                    _query("branch", _TEXT),
                    _query("machine", _TEXT),
                ),
                "post": _ingest(),
            },
            "/api/v1/runs/{revision}": {
                "get": _reads("One run: its id, a sha, a branch, latest or latest~1.", "Run", _path("revision"))
            },
            "/api/v1/cases": {"get": _reads("Every case there is a result of.", "Cases")},
            "/api/v1/cases/{case_id}/trend": {
                "get": _reads(
                    "The newest points of a case, oldest first.",
                    "Trend",
                    _path("case_id"),
                    _query("limit", _COUNT),
                    _query("before", _BEFORE),
                    _query("machine", _TEXT),
                )
            },
            "/api/v1/compare": {
                "get": _reads("Two runs, case by case.", "Comparison", _query("base", _TEXT), _query("head", _TEXT))
            },
            "/api/v1/alerts": {
                "get": _reads(
                    "Slow-downs that were seen, newest first.",
                    "Alerts",
                    _query("state", {"enum": ["open", *AlertState]}),
                    _query("case", _TEXT),
                    _query("machine", _TEXT),
                    _query("limit", _COUNT),
                    _query("before", _BEFORE),
                )
            },
            "/api/v1/alerts/{alert_id}": {
                "get": _reads("One alert with its history.", "Alert", _path("alert_id")),
                "post": _triages(),
            },
            **_for_other_programs(),
        },
    }


def _for_other_programs() -> dict[str, Any]:
    """What monitoring systems, other people's pages and feed readers ask for."""
    branch = _query("branch", _TEXT)
    svg = "image/svg+xml"
    unknown = {"404": _text("A picture that says unknown.", svg)}
    metrics = _text("The newest figures, and the service's own counts.", "application/openmetrics-text")
    return {
        "/metrics": {"get": _gets("Metrics in OpenMetrics 1.0.", {"200": metrics}, branch)},
        "/badge.svg": {
            "get": _gets("What the newest run came to.", {"200": _text("A picture.", svg), **unknown}, branch)
        },
        "/badge/{case_id}.svg": {
            "get": _gets(
                "What a case came to last.", {"200": _text("A picture.", svg), **unknown}, _path("case_id"), branch
            )
        },
        "/feed.atom": {
            "get": _gets(
                "Runs red or undecided, and alerts.", {"200": _text("A feed.", "application/atom+xml")}, branch
            )
        },
        "/healthz": {"get": _asked("The process answers.")},
        "/readyz": {"get": _asked("The history answers too.", "503")},
    }


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _TEXT}


def _reads(summary: str, schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": _answer(summary, schema),
            **_errors("400", "401", "403", "404", "413", "422", "429", "503"),
        },
    }


def _gets(summary: str, answers: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {**answers, **_errors("400", "401", "403", "413", "422", "429", "503")},
    }


def _asked(summary: str, *errors: str) -> dict[str, Any]:
    """What everybody may ask."""
    said = {"200": _text("It does.", "text/plain")}
    return {"summary": summary, "security": [], "parameters": [], "responses": {**said, **_errors("413", *errors)}}


def _ingest() -> dict[str, Any]:
    return {
        "summary": "Add a run, as `xeonperf export --format json` writes it; one that is there already stays as it is.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _RUN}}},
        "responses": {
            "201": _answer("It was new.", "Ingested"),
            "200": _answer("It was there already.", "Ingested"),
            **_errors("400", "401", "403", "408", "409", "413", "415", "429", "503"),
        },
    }


def _texts() -> dict[str, dict[str, Any]]:
    return {name: {"type": "string", "maxLength": longest} for name, longest in LONGEST.items()}


def _triages() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Triage"}}}
    return {
        "summary": "Decide about an alert; expected makes its run, or a gate's head, the new base of its case.",
        "parameters": [_path("alert_id")],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _answer("The alert as it is then.", "Alert"),
            **_errors("400", "401", "403", "404", "408", "413", "415", "429", "503"),
        },
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _text(description: str, media_type: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": _TEXT}}}


def _errors(*statuses: str) -> dict[str, Any]:
    return {status: _answer("What, where, and what to do.", "Error") for status in statuses}
