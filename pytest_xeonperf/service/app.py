"""The application: routes, who may use them, and errors that say what, where and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError, XeonPerfError
from pytest_xeonperf.service import access, api, pages
from pytest_xeonperf.service.api import problem
from pytest_xeonperf.service.headers import SafeHeaders
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from starlette.requests import Request

    from pytest_xeonperf.store.repository import Store

MOST_BYTES = 64 << 20
"""Of one run: some thousand cases with all of their pairs."""

_STATUS: tuple[tuple[type[XeonPerfError], int], ...] = ((UsageError, 404), (DataError, 400), (InfrastructureError, 503))


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What every route needs.

    Attributes:
        open_to_read: Whether reading needs no token.
        most_bytes: Of a body.
    """

    store: Store
    open_to_read: bool
    most_bytes: int = MOST_BYTES

    def require(self, request: Request, scope: Scope) -> None:
        """Let a request pass that may do this.

        Raises:
            HTTPException: 401 or 403.
        """
        if scope is Scope.READ and self.open_to_read:
            return
        access.require(request, self.store, scope)


def application(service: Service) -> Starlette:
    """The service as an ASGI application."""

    def alive(_: Request) -> Response:
        """The process answers."""
        return PlainTextResponse("ok\n")

    def ready(_: Request) -> Response:
        """The history answers too."""
        service.store.runs(limit=1)
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[Route("/healthz", alive), Route("/readyz", ready), *api.routes(service), *pages.routes(service)],
        middleware=[Middleware(SafeHeaders)],
        exception_handlers={HTTPException: _refused, XeonPerfError: _failed},
    )


def _refused(_: Request, error: Exception) -> Response:
    refusal = cast("HTTPException", error)
    return JSONResponse(problem(refusal.detail), status_code=refusal.status_code, headers=refusal.headers)


def _failed(_: Request, error: Exception) -> Response:
    failure = cast("XeonPerfError", error)
    status = next((code for kind, code in _STATUS if isinstance(failure, kind)), 500)
    return JSONResponse(problem(failure.what, where=failure.where, remedy=failure.remedy), status_code=status)
