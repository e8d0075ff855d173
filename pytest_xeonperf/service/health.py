"""Whether the service answers, for those who watch over it: they wait for nobody, and cost next to nothing."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from pytest_xeonperf.errors import XeonPerfError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pytest_xeonperf.service.app import Service
    from pytest_xeonperf.store.repository import Store

_GOOD_FOR_S = 1.0
"""Instead of a limit on how often one may ask: who is told to wait would take the service for one that is away."""


def routes(service: Service) -> list[Route]:
    """``/healthz`` and ``/readyz``, which everybody may ask."""
    readiness = Readiness(service.store)

    async def alive(_: Request) -> Response:
        """The process answers."""
        return PlainTextResponse("ok\n")

    async def ready(_: Request) -> Response:
        """The history answers too."""
        await readiness.require()
        return PlainTextResponse("ok\n")

    return [Route("/healthz", alive), Route("/readyz", ready)]


class Readiness:
    """Whether the history answers: asked in a thread of its own, and once in a second however many want to know."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = anyio.Lock()
        self._thread = anyio.CapacityLimiter(1)
        self._looked_s = -inf
        self._failure: XeonPerfError | None = None

    async def require(self) -> None:
        """Return if it does.

        Raises:
            XeonPerfError: It does not.
        """
        async with self._turn:
            if time.monotonic() - self._looked_s >= _GOOD_FOR_S:
                self._failure = await to_thread.run_sync(self._look, limiter=self._thread)
                self._looked_s = time.monotonic()
            if self._failure:
                raise self._failure.with_traceback(None)

    def _look(self) -> XeonPerfError | None:
        try:
            self._store.runs(limit=1)
        except XeonPerfError as error:
            return error
        return None
