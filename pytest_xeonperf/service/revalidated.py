"""Answers that whoever has them need not be sent again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from starlette.requests import Request


def has(request: Request, tag: str) -> bool:
    """Whether who asks says that he has what is tagged so."""
    given = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    return bool(given & {tag.removeprefix("W/"), "*"})


def takes_gzip(request: Request) -> bool:
    """Whether who asks takes an answer compressed with gzip: it is named, and not with a weight of nothing."""
    for each in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = each.replace(" ", "").partition(";")
        if name == "gzip":
            return weight.rstrip("0.") != "q="
    return False


def revalidated(request: Request, text: str, *, media_type: str, status: int = 200) -> Response:
    """The text with its tag, or that it is as it was; to be asked for each time, as the next run may change it."""
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if status == 200 and has(request, tag):  # noqa: PLR2004 - OK
        return Response(status_code=304, headers=headers)
    return Response(text, status_code=status, media_type=media_type, headers=headers)
