"""What the service did since it started, counted for `/metrics`."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

import psutil

from pytest_xeonperf.exchange.exposition import Family, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOWHERE = "none"
"""The route of what has none: whatever is asked for, it is one series."""

_CREATED, _OK = 201, 200


class Counters:
    """Counts; threads may share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._answers: Counter[tuple[str, str]] = Counter()
        self._runs: Counter[str] = Counter(new=0, known=0, refused=0)
        self._started_at_s = psutil.Process().create_time()

    def answered(self, route: str, status: int) -> None:
        """A request was answered."""
        with self._lock:
            self._answers[route, f"{status // 100}xx"] += 1

    def received(self, status: int) -> None:
        """A run came in, and this was the answer."""
        with self._lock:
            self._runs[{_CREATED: "new", _OK: "known"}.get(status, "refused")] += 1

    def families(self) -> tuple[Family, ...]:
        """The counts as metrics."""
        with self._lock:
            answers, runs = dict(self._answers), dict(self._runs)
        return (
            Family(
                name="xeonperf_http_requests",
                kind=Kind.COUNTER,
                help="Requests that were answered, by route and class of status.",
                samples=tuple(
                    ({"route": route, "status": status}, number) for (route, status), number in sorted(answers.items())
                ),
            ),
            Family(
                name="xeonperf_received_runs",
                kind=Kind.COUNTER,
                help="Runs that were sent: new ones, those that were there already, and those that were refused.",
                samples=tuple(({"result": result}, number) for result, number in runs.items()),
            ),
            Family(
                name="process_start_time_seconds",
                kind=Kind.GAUGE,
                unit="seconds",
                help="When the service started, since the epoch.",
                samples=(({}, self._started_at_s),),
            ),
        )


class Counting:
    """ASGI middleware that counts answers."""

    def __init__(self, app: ASGIApp, *, counters: Counters, routes: Mapping[object, str]) -> None:
        """Around an application.

        Args:
            app: What answers.
            counters: Where it is counted.
            routes: Endpoints with what their routes are called.
        """
        self.app = app
        self.counters = counters
        self.routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and count what comes back; an exception comes back as 500."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500

        async def send_counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            self.counters.answered(self.routes.get(scope.get("endpoint"), _NOWHERE), status)
