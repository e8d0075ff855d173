"""The JSON API: runs come in, runs, trends and comparisons go out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pytest_xeonperf.ci.history import compared
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange import native, public, shifts
from pytest_xeonperf.exchange.listing import case_entry, point_entry, run_entry
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_xeonperf.service.app import Service

_MOST_RUNS = 1000
_TOLERANCE, _ALPHA = 0.05, 0.05
_JSON = "application/json"


def routes(service: Service) -> list[Route]:
    """The API below ``/api/v1``."""

    async def ingest(request: Request) -> Response:
        """Add a run; one that is there already stays as it is."""
        await run_in_threadpool(service.require, request, Scope.INGEST)
        body = await _body(request, service.most_bytes)
        return await run_in_threadpool(_ingested, service, body)

    def runs(request: Request) -> Response:
        """The newest runs, newest first."""
        service.require(request, Scope.READ)
        query = request.query_params
        found = service.store.runs(
            limit=_number(query.get("limit", "50"), most=_MOST_RUNS),
            branch=query.get("branch", ""),
            comparability_class=query.get("machine", ""),
        )
        return JSONResponse({"runs": [run_entry(each) for each in found]})

    def run(request: Request) -> Response:
        """One run, as `xeonperf show --json` has it."""
        service.require(request, Scope.READ)
        found = service.store.run(service.store.resolve(request.path_params["revision"]))
        return Response(public.dumps(found), media_type=_JSON)

    def cases(request: Request) -> Response:
        """Every case there is a result of."""
        service.require(request, Scope.READ)
        return JSONResponse({"cases": [case_entry(case) for case in service.store.cases()]})

    def trend(request: Request) -> Response:
        """The newest points of a case, oldest first."""
        service.require(request, Scope.READ)
        limit = _number(request.query_params.get("limit", "500"), most=_MOST_RUNS)
        points = service.store.trend(
            request.path_params["case_id"], comparability_class=request.query_params.get("machine", ""), limit=limit
        )
        return JSONResponse({"points": [point_entry(point) for point in points]})

    def compare(request: Request) -> Response:
        """Two runs, as `xeonperf compare --json` has it."""
        service.require(request, Scope.READ)
        query, store = request.query_params, service.store
        head = store.run(store.resolve(query.get("head", "latest")))
        base = store.run(store.resolve(query.get("base", "latest~1")))
        found = compared(store, base, head, tolerance=_TOLERANCE, alpha=_ALPHA)
        return Response(shifts.dumps(found), media_type=_JSON)

    return [
        Route("/api/v1/runs", ingest, methods=["POST"]),
        Route("/api/v1/runs", runs),
        Route("/api/v1/runs/{revision}", run),
        Route("/api/v1/cases", cases),
        Route("/api/v1/cases/{case_id}/trend", trend),
        Route("/api/v1/compare", compare),
    ]


def _ingested(service: Service, body: bytes) -> Response:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise DataError(f"no UTF-8: {error.reason} at byte {error.start}", where="body") from None
    run = native.loads(text, where="body")
    is_new = service.store.add_run(run)
    return JSONResponse({"run": run.id, "new": is_new}, status_code=201 if is_new else 200)


async def _body(request: Request, most_bytes: int) -> bytes:
    """The body, read only as long as it is not too large, whatever its header says."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            raise HTTPException(413, detail=f"more than {most_bytes} bytes")
        parts.append(part)
    return b"".join(parts)


def _number(text: str, *, most: int) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= most):
        raise HTTPException(400, detail=f"limit {text[:20]!r} is no number from 1 to {most}")
    return int(text)


def problem(what: str, *, where: str = "", remedy: str = "") -> dict[str, Any]:
    """An error, as every answer of the service has it."""
    return {"error": {"what": what, "where": where, "remedy": remedy}}
