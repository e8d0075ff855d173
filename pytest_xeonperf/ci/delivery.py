"""Runs on their way to a service: sent at once, or kept on disk until it is there again.

A run waits as a file of its own, named by its id, which is ordered by time; it goes when the service has said that it
has it. The service takes a run once however often it is sent, so that a delivery that was cut off is made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request

from pytest_xeonperf.ci.opener import OPENER
from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError, XeonPerfError
from pytest_xeonperf.exchange.addresses import is_web_address
from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from http.client import HTTPResponse

OUTBOX = Path(".xeonperf", "outbox")
"""In the folder of suites, where runs wait."""

_PATIENCE_S = 60
_REFUSED = ".refused"
_OF_THIS_RUN = frozenset({400, 409, 413, 422})
"""What a service says of the run itself; everything else may be better another time."""

_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_AS_IT_IS = "/:?#[]@!$&'()*+,;=%"
"""Of an address from elsewhere: a terminal obeys other characters."""
_REMEDY = "say https://host[:port][/path], without a user or a query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of the runs that waited.

    Attributes:
        sent: Runs that the service has now.
        waiting: Runs that are still to be sent.
        refused: Runs that the service does not take, which were put aside, with its words.
        error: Why runs wait.
    """

    sent: int
    waiting: int
    refused: tuple[str, ...] = ()
    error: XeonPerfError | Unknown = Unknown(reason="none waits")

    @property
    def problem(self) -> str:
        """Why runs wait, in a line; empty where none does."""
        if isinstance(self.error, Unknown):
            return ""
        return f"{self.error.what} ({self.error.remedy})" if self.error.remedy else self.error.what


def deliver(url: str, document: str) -> bool:
    """Send a run in our own JSON; whether it was new to the service.

    Args:
        url: Where `xeonperf serve` is.
        document: As `exchange.native.dumps` writes it. The token stands in ``XEONPERF_TOKEN``.

    Raises:
        UsageError: The address is none, or the token is not good for it.
        DataError: The service does not take this run.
        InfrastructureError: The service does not answer, or something else does.
    """
    request = Request(  # noqa: S310 - http or https, as is checked
        f"{checked(url)}/api/v1/runs",
        data=document.encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {_token()}"},
    )
    try:
        with OPENER.open(request, timeout=_PATIENCE_S) as answer:
            return bool(_answered(answer)["new"])
    except HTTPError as error:
        raise _refusal(error, url) from error
    except (HTTPException, OSError, ValueError, KeyError) as error:
        said = str(error) or type(error).__name__
        raise InfrastructureError(f"no answer of a service: {said}", where=url, remedy="check the address") from error


def outbox(folder: Path, url: str) -> Path:
    """Where the runs wait that are for this service, in the folder of suites: another address is another service."""
    return folder / OUTBOX / hashlib.sha256(checked(url).encode()).hexdigest()[:12]


def keep(box: Path, run_id: str, document: str) -> None:
    """Let a run wait on disk: all of it or, if this process dies, nothing."""
    box.mkdir(parents=True, exist_ok=True)
    (box / ".gitignore").write_text("*\n", encoding="ascii")
    draft = box / f".{run_id}.part"
    with draft.open("w", encoding="utf-8") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(box / f"{run_id}.json")


def deliver_kept(box: Path, url: str) -> Delivery:
    """Send what waits, the oldest first, up to the first that the service is not there for.

    A run that the service does not take is put aside, so that those behind it get through.
    """
    waiting = sorted(box.glob("*.json")) if box.is_dir() else []
    sent, refused = 0, []
    for number, path in enumerate(waiting):
        try:
            deliver(url, path.read_text(encoding="utf-8", errors="replace"))
        except FileNotFoundError:  # another session has sent it
            continue
        except DataError as error:
            aside = path.with_suffix(_REFUSED)
            path.replace(aside)
            refused.append(f"{error.what} (run {path.stem}, put aside as {aside})")
            continue
        except XeonPerfError as error:
            return Delivery(sent=sent, waiting=len(waiting) - number, refused=tuple(refused), error=error)
        path.unlink(missing_ok=True)
        sent += 1
    return Delivery(sent=sent, waiting=0, refused=tuple(refused))


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
    return InfrastructureError(what, where=url, remedy="check the address, or try again later")
