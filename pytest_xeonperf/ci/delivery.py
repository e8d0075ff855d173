"""Runs on their way to a service: sent at once, or kept on disk until it is there again.

A run waits as a file of its own, named by its id, which is ordered by time; it goes when the service has said that it
has it. The service takes a run once however often it is sent, so that a delivery that was cut off is made again.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError, XeonPerfError

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE_S = 60
_REFUSED = ".refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of the runs that waited.

    Attributes:
        sent: Runs that the service has now.
        waiting: Runs that are still to be sent.
        problem: Why, for the first of them; empty where none waits.
    """

    sent: int
    waiting: int
    problem: str


def deliver(url: str, document: str) -> bool:
    """Send a run in our own JSON; whether it was new to the service.

    Args:
        url: Where `xeonperf serve` is.
        document: As `exchange.native.dumps` writes it. The token stands in ``XEONPERF_TOKEN``.

    Raises:
        UsageError: The address is none, or the token is not good for it.
        DataError: The service does not take this run.
        InfrastructureError: The service does not answer.
    """
    token = os.environ.get("XEONPERF_TOKEN", "")
    request = Request(  # noqa: S310 - http or https, as is checked
        f"{checked(url)}/api/v1/runs",
        data=document.encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    try:
        with urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            return bool(json.loads(answer.read())["new"])
    except HTTPError as error:
        raise _refusal(error, url) from error
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        raise InfrastructureError(f"the service does not answer: {error}", where=url) from error


def keep(folder: Path, run_id: str, document: str) -> None:
    """Let a run wait on disk: all of it or, if this process dies, nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{run_id}.part"
    with draft.open("w", encoding="utf-8") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / f"{run_id}.json")


def deliver_kept(folder: Path, url: str) -> Delivery:
    """Send what waits, the oldest first, up to the first that the service is not there for.

    A run that the service does not take is put aside, so that those behind it get through.
    """
    waiting = sorted(folder.glob("*.json")) if folder.is_dir() else []
    sent, problem = 0, ""
    for number, path in enumerate(waiting):
        try:
            deliver(url, path.read_text(encoding="utf-8"))
        except FileNotFoundError:  # another session has sent it
            continue
        except DataError as error:
            path.replace(path.with_suffix(_REFUSED))
            problem = problem or f"{path.stem} was refused, and put aside as {path.stem}{_REFUSED}: {error.what}"
            continue
        except XeonPerfError as error:
            return Delivery(sent=sent, waiting=len(waiting) - number, problem=problem or error.what)
        path.unlink(missing_ok=True)
        sent += 1
    return Delivery(sent=sent, waiting=0, problem=problem)


def checked(url: str) -> str:
    """The address of a service, without a slash at its end.

    Raises:
        UsageError: It is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise UsageError(f"{url!r} is no address of a service", remedy="say https://host[:port]")
    return url.rstrip("/")


def _refusal(error: HTTPError, url: str) -> UsageError | DataError | InfrastructureError:
    """What the service says is wrong, as an error of ours."""
    try:
        said: dict[str, Any] = json.loads(error.read())["error"]
    except (ValueError, KeyError, TypeError):
        said = {"what": error.reason}
    what = f"the service says {error.code}: {said.get('what', '')}"
    if error.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return UsageError(what, where=url, remedy="set XEONPERF_TOKEN to a token with the scope ingest")
    if HTTPStatus.BAD_REQUEST <= error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return DataError(what, where=url, remedy=str(said.get("remedy", "")))
    return InfrastructureError(what, where=url, remedy="try again later")
