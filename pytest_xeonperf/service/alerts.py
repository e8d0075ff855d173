"""Alerts as JSON: what became slower goes out, what somebody decides comes in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from pytest_xeonperf.alerts import OPEN_STATES, AlertState
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange import alerts as as_json
from pytest_xeonperf.exchange.triage import triage_from
from pytest_xeonperf.service.api import number, parameters, require_kind
from pytest_xeonperf.service.receiving import body
from pytest_xeonperf.service.refusal import refusal
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from pytest_xeonperf.service.app import Service

MOST_BYTES = 64 << 10
"""Of a decision: each of the letters of a note may take twelve in a form."""

_MOST_ALERTS = 1000
_JSON = "application/json"
_OPEN = "open"


def routes(service: Service) -> list[Route]:
    """The API below ``/api/v1/alerts``."""

    def listed(request: Request) -> Response:
        """Alerts, newest first."""
        service.require(request, Scope.READ)
        query = parameters(request, "state", "case", "machine", "limit", "before")
        found = service.store.alert_page(
            _states(query.get("state", "")),
            case_id=query.get("case", ""),
            comparability_class=query.get("machine", ""),
            limit=number(query.get("limit", "500"), most=_MOST_ALERTS),
            before=query.get("before", ""),
        )
        return Response(as_json.dumps_list(found.alerts, older=found.older), media_type=_JSON)

    def one(request: Request) -> Response:
        """One alert with its history."""
        service.require(request, Scope.READ)
        return _as_json(service, request.path_params["alert_id"])

    async def triaged(request: Request) -> Response:
        """Decide about an alert; who does it is the token's name."""
        token, _ = await run_in_threadpool(service.identify, request, Scope.TRIAGE, password=False)
        require_kind(request, _JSON)  # which no form of another site can say
        sent = await body(request, MOST_BYTES)
        return await run_in_threadpool(_decided, service, request.path_params["alert_id"], sent, token.name)

    async def alert(request: Request) -> Response:
        """One address, two methods."""
        return await triaged(request) if request.method == "POST" else await run_in_threadpool(one, request)

    return [
        Route("/api/v1/alerts", listed),
        Route("/api/v1/alerts/{alert_id}", alert, methods=["GET", "POST"]),
    ]


def _decided(service: Service, alert_id: str, sent: bytearray, by: str) -> Response:
    try:
        said = json.loads(sent)
    except (ValueError, RecursionError):
        return refusal(400, "no JSON", where="body")
    if not isinstance(said, dict):
        return refusal(400, "no JSON object", where="body", remedy='send {"state": "acknowledged"}')
    try:
        decide(service, alert_id, said, by)
    except DataError as error:
        return refusal(400, error.what, where=error.where, remedy=error.remedy)
    return _as_json(service, alert_id)


def decide(
    service: Service, alert_id: str, said: Mapping[str, object], by: str, seen: Mapping[str, str] | None = None
) -> None:
    """Do what was said.

    Raises:
        DataError: It cannot be meant, or something is no longer as it was `seen`.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    service.store.triage(alert_id, triage_from(said), by=by, at=at, seen=seen or {})


def _as_json(service: Service, alert_id: str) -> Response:
    found = service.store.alert(alert_id)
    return Response(as_json.dumps(found, service.store.alert_events(alert_id)), media_type=_JSON)


def _states(named: str) -> tuple[AlertState, ...]:
    """States by their names, of which ``open`` stands for three; none for all.

    Raises:
        HTTPException: 400.
    """
    if named == _OPEN:
        return OPEN_STATES
    try:
        return (AlertState(named),) if named else ()
    except ValueError:
        states = ", ".join((_OPEN, *AlertState))
        raise HTTPException(400, detail=f"state {named[:20]!r} is none of {states}") from None
