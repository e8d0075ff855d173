"""Only what changes something has a body: nobody else's is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from pytest_xeonperf.service.refusal import refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_MAY_HAVE_ONE = frozenset({"POST", "PUT", "PATCH"})
"""Routes of these methods read a body themselves, no further than it may be large; without a route it stays unread."""


class NoBodies:
    """ASGI middleware that refuses a request with a body where there shall be none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what has no body, or may have one."""
        if scope["type"] == "http" and scope["method"] not in _MAY_HAVE_ONE:
            headers = Headers(scope=scope)
            if headers.get("content-length", "0").strip("0") or "transfer-encoding" in headers:
                refused = refusal(413, f"{scope['method']} takes no body")
                refused.headers["Connection"] = "close"  # nobody is going to read the rest
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)
