"""A run on its way to a service, which takes it once however often it is sent."""

from __future__ import annotations

import json
import os
import re
from http.client import HTTPException
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request

from pytest_xeonperf.ci.opener import OPENER
from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError
from pytest_xeonperf.exchange.addresses import is_web_address

if TYPE_CHECKING:
    from http.client import HTTPResponse

_PATIENCE_S = 60
"""Without a sign of the service."""

_OF_THIS_RUN = frozenset({400, 409, 413, 422})
"""What a service says of the run itself; everything else may be better another time."""

_TOO_SLOW = 408
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_AS_IT_IS = "/:?#[]@!$&'()*+,;=%"
"""Of an address from elsewhere: a terminal obeys other characters."""
_REMEDY = "say https://host[:port][/path], without a user or a query"


class PassedOverError(InfrastructureError):
    """This run cannot be sent now; that says nothing about others."""


def deliver(url: str, document: str) -> bool:
    """Send a run in our own JSON; whether it was new to the service.

    Args:
        url: Where `xeonperf serve` is.
        document: As `exchange.native.dumps` writes it. The token stands in ``XEONPERF_TOKEN``.

    Raises:
        UsageError: The address is none, or the token is not good for it.
        DataError: The service does not take this run.
        PassedOverError: It did not come fast enough for the service.
        InfrastructureError: The service does not answer, or something else does.
    """
    sent = document.encode()
    blocks = BytesIO(sent)  # each has all the patience; of bytes, all would have to go in that time
    request = Request(  # noqa: S310 - http or https, as is checked
        f"{checked(url)}/api/v1/runs",
        data=blocks,
        headers={
            "Content-Type": "application/json",
            "Content-Length": str(len(sent)),
            "Authorization": f"Bearer {_token()}",
        },
    )
    try:
        with OPENER.open(request, timeout=_PATIENCE_S) as answer:
            return bool(_answered(answer)["new"])
    except HTTPError as error:
        raise _refusal(error, url) from error
    except (HTTPException, OSError, ValueError, KeyError) as error:
        said = str(error) or type(error).__name__
        raise InfrastructureError(f"no answer of a service: {said}", where=url, remedy="check the address") from error


def checked(url: str) -> str:
    """The address of a service, without a slash at its end.

    Raises:
        UsageError: It is none, or holds what would be recorded and shown.
    """
    if not is_web_address(url) or re.search(r"[\s@?#\x00-\x1f\x7f]", url):
        raise UsageError("this is no address of a service", where=url.partition("@")[2] or url, remedy=_REMEDY)
    return url.rstrip("/")


def _token() -> str:
    token = os.environ.get("XEONPERF_TOKEN", "").strip()
    if not re.fullmatch(r"[A-Za-z0-9_-]*", token):
        raise UsageError("XEONPERF_TOKEN holds no token", remedy="set it to what `xeonperf token create` printed")
    return token


def _answered(answer: HTTPResponse | HTTPError) -> dict[str, Any]:
    found = json.loads(answer.read())
    if not isinstance(found, dict):
        raise ValueError("it answers something else")  # noqa: TRY004 - as for what is no JSON at all
    return found


def _refusal(error: HTTPError, url: str) -> UsageError | DataError | InfrastructureError:
    """What the service says is wrong, as an error of ours."""
    if error.code in _ELSEWHERE and error.headers.get("Location"):
        what = f"the service has moved to {quote(error.headers['Location'], safe=_AS_IT_IS)}"
        return UsageError(what, where=url, remedy="give that address, if you trust it")
    try:
        said = _answered(error).get("error")
    except (HTTPException, OSError, ValueError):
        said = None
    ours = isinstance(said, dict) and isinstance(said.get("what"), str)
    what = f"the service says {error.code}: {said['what'] if isinstance(said, dict) and ours else error.reason}"
    if error.code in {401, 403}:
        return UsageError(what, where=url, remedy="set XEONPERF_TOKEN to a token with the scope ingest")
    if ours and error.code in _OF_THIS_RUN:
        return DataError(what, where=url)
    if error.code == _TOO_SLOW:
        return PassedOverError(what, where=url, remedy="try again on a faster line, or later")
    return InfrastructureError(what, where=url, remedy="check the address, or try again later")
