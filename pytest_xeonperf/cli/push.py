"""``xeonperf push``: a run to a service."""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import click

from pytest_xeonperf.cli.history import database_option, read_run, revision_argument
from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError
from pytest_xeonperf.exchange import native

_PATIENCE_S = 60


@click.command
@revision_argument
@click.option(
    "--to", "url", metavar="URL", required=True, help="Where `xeonperf serve` is, such as https://perf.example."
)
@database_option
def command(revision: str, url: str, db: str) -> None:
    """Send a run to a service; one that is there already stays as it is.

    The token stands in XEONPERF_TOKEN: `xeonperf token create` on the service's side makes it.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise UsageError(f"{url!r} is no address of a service", where="--to", remedy="say https://host[:port]")
    run, token = read_run(db, revision), os.environ.get("XEONPERF_TOKEN", "")
    request = Request(  # noqa: S310 - http or https, as checked above
        f"{url.rstrip('/')}/api/v1/runs",
        data=native.dumps(run).encode(),
        headers={
            "Content-Type": "application/json",
            "Authorization": f"Bearer {token}",
        },
    )
    try:
        with urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            found = json.loads(answer.read())
    except HTTPError as error:
        raise _refusal(error, url) from error
    except (URLError, TimeoutError, ValueError) as error:
        raise InfrastructureError(f"the service does not answer: {error}", where=url) from error
    click.echo(f"run {run.id} {'added' if found['new'] else 'was there already'}", err=True)


def _refusal(error: HTTPError, url: str) -> UsageError | DataError | InfrastructureError:
    """What the service says is wrong, as an error of ours."""
    try:
        said: dict[str, Any] = json.loads(error.read())["error"]
    except (ValueError, KeyError, TypeError):
        said = {"what": error.reason, "remedy": ""}
    what = f"the service says {error.code}: {said['what']}"
    if error.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return UsageError(what, where=url, remedy="set XEONPERF_TOKEN to a token with the scope ingest")
    if HTTPStatus.BAD_REQUEST <= error.code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return DataError(what, where=url, remedy=str(said.get("remedy", "")))
    return InfrastructureError(what, where=url, remedy="try again later")
