"""The JSON API: runs come in, runs, trends and comparisons go out."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pytest_xeonperf.ci.alerts import series_of
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange import native, public, shifts
from pytest_xeonperf.exchange.arriving import is_same, require_presentable
from pytest_xeonperf.exchange.listing import case_entry, point_entry, run_entry
from pytest_xeonperf.service.receiving import Room, body
from pytest_xeonperf.service.refusal import refusal
from pytest_xeonperf.service.watching import Watch
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from pytest_xeonperf.service.app import Service

_MOST_RUNS = 1000
_DIGITS = 9
_AT_ONCE = 2
"""Runs that are taken in at a time: each may be as large as `Service.most_bytes`.

They have threads of their own: behind everybody who wants a page, a run would wait longer than its client does.
"""

_LARGE_BYTES = 4 << 20
"""Of a run that no other of its size is read beside: that may take twenty times as much memory."""

_JSON = "application/json"


def routes(service: Service) -> list[Route]:
    """The API below ``/api/v1``."""
    turns, turn_of_a_large_one = anyio.Semaphore(_AT_ONCE), anyio.Semaphore(1)
    room = Room(
        _AT_ONCE * (service.most_bytes + _LARGE_BYTES),
        small_bytes=_LARGE_BYTES,
        for_small_bytes=_AT_ONCE * _LARGE_BYTES,
    )
    threads = anyio.CapacityLimiter(_AT_ONCE + 1)  # one for who is turned away meanwhile
    watch = Watch(service.store, service.seen)

    async def ingest(request: Request) -> Response:
        """Add a run; one that is there already stays as it is."""
        await to_thread.run_sync(service.require, request, Scope.INGEST, limiter=threads)
        require_kind(request, _JSON)  # which no form of another site can say
        async with room.kept(request, service.most_bytes):
            sent = await body(request, service.most_bytes)  # at the sender's pace, so before it is his turn
            async with turn_of_a_large_one if len(sent) > _LARGE_BYTES else nullcontext(), turns:
                answer = await to_thread.run_sync(_ingested, service, sent, watch, limiter=threads)
        service.counters.received(answer.status_code)
        return answer

    async def runs(request: Request) -> Response:
        """One address, two methods: so that a third is told of both."""
        return await ingest(request) if request.method == "POST" else await run_in_threadpool(listed, request)

    def listed(request: Request) -> Response:
        """The newest runs, newest first."""
        service.require(request, Scope.READ)
        query = parameters(request, "limit", "before", "branch", "machine")
        found = service.store.run_page(
            limit=number(query.get("limit", "50"), most=_MOST_RUNS),
            branch=query.get("branch", ""),
            comparability_class=query.get("machine", ""),
            before=query.get("before", ""),
        )
        return JSONResponse({"runs": [run_entry(each) for each in found.runs], "older": found.older})

    def run(request: Request) -> Response:
        """One run, as `xeonperf show --json` has it."""
        service.require(request, Scope.READ)
        parameters(request)
        found = service.store.run(service.store.resolve(request.path_params["revision"]))
        return Response(public.dumps(found), media_type=_JSON)

    def cases(request: Request) -> Response:
        """Every case there is a result of."""
        service.require(request, Scope.READ)
        parameters(request)
        return JSONResponse({"cases": [case_entry(case) for case in service.store.cases()]})

    def trend(request: Request) -> Response:
        """The newest points of a case, oldest first."""
        service.require(request, Scope.READ)
        query = parameters(request, "limit", "before", "machine")
        found = service.store.trend_page(
            request.path_params["case_id"],
            comparability_class=query.get("machine", ""),
            limit=number(query.get("limit", "500"), most=_MOST_RUNS),
            before=query.get("before", ""),
        )
        return JSONResponse({"points": [point_entry(point) for point in found.points], "older": found.older})

    def compare(request: Request) -> Response:
        """Two runs, as `xeonperf compare --json` has it."""
        service.require(request, Scope.READ)
        parameters(request, "base", "head")
        return Response(shifts.dumps(service.compared(request)), media_type=_JSON)

    return [
        Route("/api/v1/runs", runs, methods=["GET", "POST"]),
        Route("/api/v1/runs/{revision:path}", run),
        Route("/api/v1/cases", cases),
        Route("/api/v1/cases/{case_id}/trend", trend),
        Route("/api/v1/compare", compare),
    ]


def _ingested(service: Service, sent: bytearray, watch: Watch) -> Response:
    try:
        run = native.loads(_emptied(sent), where="body")
        require_presentable(run, now=datetime.now(UTC))
    except UnicodeDecodeError as error:
        return refusal(400, f"no UTF-8: {error.reason} at byte {error.start}", where="body")
    except DataError as error:
        return refusal(400, error.what, where=error.where, remedy=error.remedy)
    is_new = service.store.add_run(run)
    if not is_new and not is_same(service.store.run(run.id), run):
        return refusal(409, f"there is another run {run.id}", where="body", remedy="runs do not change: send a new one")
    if is_new:
        service.arrived(run)
    return JSONResponse(
        {"run": run.id, "new": is_new},
        status_code=201 if is_new else 200,
        background=BackgroundTask(watch.over, series_of(run)),  # when the answer is out; the next one makes up for it
    )


def _emptied(sent: bytearray) -> str:
    """The text that was sent, which takes as much memory again, instead of its bytes."""
    text = sent.decode()
    sent.clear()
    return text


def require_kind(request: Request, kind: str) -> None:
    """Let a request pass whose body is said to be of a kind.

    Raises:
        HTTPException: 415.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise HTTPException(415, detail=f"it is to be sent as {kind}")


def parameters(request: Request, *names: str) -> QueryParams:
    """What an address says after its question mark; a misspelt name would be answered as if nothing had been asked."""
    unknown = sorted(set(request.query_params) - set(names))
    if unknown:
        raise HTTPException(400, detail=f"no parameter {unknown[0][:50]!r} here; there is {', '.join(names) or 'none'}")
    return request.query_params


def number(text: str, *, most: int) -> int:
    """A limit that somebody gave.

    Raises:
        HTTPException: 400, if it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS and 0 < int(text) <= most):
        raise HTTPException(400, detail=f"limit {text[:20]!r} is no number from 1 to {most}")
    return int(text)
