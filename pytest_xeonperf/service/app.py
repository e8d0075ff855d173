"""The application: routes, who may use them, and errors that say what, where and what to do."""

from __future__ import annotations

import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect

from pytest_xeonperf.errors import DataError, UsageError, XeonPerfError
from pytest_xeonperf.judge.shift import TOLERANCE_OF_SESSIONS
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.service import access, alert_pages, alerts, api, badges, feed, health, metrics, openapi, pages
from pytest_xeonperf.service.background import Backgrounds
from pytest_xeonperf.service.bodies import NoBodies
from pytest_xeonperf.service.budgets import Budgets, address_of, require_permit
from pytest_xeonperf.service.cache import Pages
from pytest_xeonperf.service.counters import Counters, Counting
from pytest_xeonperf.service.headers import SafeHeaders
from pytest_xeonperf.service.refusal import refusal, refused
from pytest_xeonperf.store.comparing import compared
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from pytest_xeonperf.ci.alerts import News
    from pytest_xeonperf.judge.runs import RunComparison
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.service.budgets import Budget
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.tokens import Token

MOST_BYTES = 32 << 20
"""Of one run: a thousand cases with more than a hundred pairs each. What it becomes takes many times as much memory."""

_THREADS = 3
"""That answer readers at a time, beside the one that renders pages: Python runs one of them at a time, so that more
make nobody faster, and whoever has asked the database waits behind all of them for his next turn."""

_ALPHA = 0.05
_LOG = logging.getLogger("pytest_xeonperf.service")


def _nobody_minds(*_: object) -> None:
    """Nothing happens when a run arrives, or an alert is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What every route needs.

    Attributes:
        open_to_read: Whether reading needs no token.
        hosts: Names under which it answers: without a token, a page of another site shall not read through a browser
            that takes its name for this machine's.
        most_bytes: Of a body.
        budgets: How often somebody may ask.
        counters: What was done so far.
        pages: Those that were rendered, for all who may read.
        renderer: The thread that renders them, as others have to wait for it anyway.
        backgrounds: What pages of cases have in common.
        public_url: Under which people reach it, without a slash at its end; empty for the one they ask under.
        arrived: Is told of each new run that came in; must not keep whoever brings it waiting.
        seen: Is told of alerts that are new, over or open again, and when that was seen.
    """

    store: Store
    open_to_read: bool
    hosts: tuple[str, ...] = ("*",)
    most_bytes: int = MOST_BYTES
    budgets: Budgets = field(default_factory=Budgets)
    counters: Counters = field(default_factory=Counters)
    pages: Pages = field(default_factory=Pages)
    renderer: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(1))
    backgrounds: Backgrounds = field(default_factory=Backgrounds)
    public_url: str = ""
    arrived: Callable[[Run], None] = _nobody_minds
    seen: Callable[[News, str], None] = _nobody_minds

    def require(self, request: Request, scope: Scope) -> None:
        """Let a request pass that may do this.

        Raises:
            HTTPException: 401 or 403; 429 if it has to wait.
        """
        if scope is Scope.READ and self.open_to_read:
            require_permit(self._budget(scope).spend(address_of(request)))
            return
        self.identify(request, scope, password=scope is Scope.READ)

    def identify(self, request: Request, scope: Scope, *, password: bool) -> tuple[Token, str]:
        """The token that a request carries, and its text; arguments as `access.identify` has them.

        Raises:
            HTTPException: 401 or 403; 429 if it has to wait.
        """
        with self.budgets.trying(request):
            token, text = access.identify(request, self.store, scope, password=password)
        require_permit(self._budget(scope).spend(token.id))
        return token, text

    def _budget(self, scope: Scope) -> Budget:
        return self.budgets.reads if scope is Scope.READ else self.budgets.ingests

    def address(self, request: Request, path: str) -> str:
        """Where people find a page or a picture of it."""
        return f"{self.public_url or str(request.base_url).rstrip('/')}/{path}"

    def compared(self, request: Request) -> RunComparison:
        """The two runs that a request names; without a base, that of `Store.earlier`.

        Raises:
            UsageError: There is no such run.
        """
        query = request.query_params
        head = self.store.run(self.store.resolve(query.get("head", "latest")))
        base = query.get("base", "")
        earlier = self.store.run(self.store.resolve(base)) if base else self._before(head)
        line = Unknown(reason="the service has no repository")
        return compared(self.store, earlier, head, line=line, tolerance=TOLERANCE_OF_SESSIONS, alpha=_ALPHA)

    def _before(self, head: Run) -> Run:
        earlier = self.store.earlier(head)
        if isinstance(earlier, Unknown):
            raise UsageError(f"run {head.id}: {earlier.reason}", remedy="name one: ?base=...")
        return self.store.run(earlier)


def application(service: Service) -> ASGIApp:
    """The service as an ASGI application."""

    async def unfit(request: Request, error: Exception) -> Response:
        """What the history holds does not do for what is asked: no waiting mends that, unless it is the database."""
        wrong = cast("DataError", error)
        if wrong.where or service.store.where in f"{wrong.what} {wrong.remedy}":  # a damaged file says which
            return await _failed(request, error)
        _LOG.warning("%s", error)
        return refused(request, 422, wrong.what, remedy=wrong.remedy)

    routes = [
        *health.routes(service),
        openapi.route(service),
        *api.routes(service),
        *pages.routes(service),
        *alerts.routes(service),
        *alert_pages.routes(service),
        *badges.routes(service),
        *feed.routes(service),
        *metrics.routes(service),
    ]
    names: dict[object, str] = {route.endpoint: route.path for route in routes}
    routed = Starlette(
        routes=routes,
        middleware=[Middleware(Counting, counters=service.counters, routes=names), Middleware(NoBodies)],
        lifespan=_few_threads,
        exception_handlers={
            HTTPException: _refused,
            ClientDisconnect: _gone,
            UsageError: _unknown,
            DataError: unfit,
            XeonPerfError: _failed,
            Exception: _failed,
        },
    )
    return SafeHeaders(TrustedHostMiddleware(routed, allowed_hosts=list(service.hosts), www_redirect=False))


@asynccontextmanager
async def _few_threads(_: Starlette) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = _THREADS
    yield


async def _refused(request: Request, error: Exception) -> Response:
    """No thread is needed, and none of the few is waited for: so it is with the others below."""
    why = cast("HTTPException", error)
    answer = refused(request, why.status_code, why.detail)
    answer.headers.update(why.headers or {})
    return answer


async def _unknown(request: Request, error: Exception) -> Response:
    """Whoever asks has named something that is not there."""
    unknown = cast("UsageError", error)
    return refused(request, 404, unknown.what, remedy=unknown.remedy)


async def _gone(_: Request, __: Exception) -> Response:
    """Whoever was sending has left: nobody reads the answer, and nothing is wrong here."""
    return refusal(400, "the request ended before its body did")


async def _failed(request: Request, error: Exception) -> Response:
    """Something is wrong here: the log says what, and a stranger does not learn where the history is."""
    _LOG.error("%s", error, exc_info=error)
    if isinstance(error, XeonPerfError):
        return refused(
            request, 503, "the history does not answer", remedy="try again later; the service's log says more"
        )
    return refused(request, 500, "a defect of the service", remedy="the service's log says more")
