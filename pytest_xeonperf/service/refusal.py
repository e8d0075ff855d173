"""An error, as every answer of the service has it: for programs as JSON, for people at a page's address as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from pytest_xeonperf.report.page_refusal import refusal_page
from pytest_xeonperf.service.pages import served

if TYPE_CHECKING:
    from starlette.requests import Request

_LONGEST = 500


def refusal(status: int, what: str, *, where: str = "", remedy: str = "") -> JSONResponse:
    """What, where, and what to do; whoever sent too much does not get all of it back."""
    said = {name: text[:_LONGEST] for name, text in (("what", what), ("where", where), ("remedy", remedy))}
    return JSONResponse({"error": said}, status_code=status)


def refused(request: Request, status: int, what: str, *, remedy: str = "") -> Response:
    """The same for whoever asked: a browser that wants a page gets one."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return refusal(status, what, remedy=remedy)
    return served(refusal_page(status, what[:_LONGEST], remedy=remedy[:_LONGEST]), status=status)
