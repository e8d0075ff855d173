"""``xeonperf serve``: the history as pages and as an API."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Any

import click

from pytest_xeonperf.ci.delivery import checked
from pytest_xeonperf.cli.history import database_option, database_or_default
from pytest_xeonperf.cli.notices import notice_options, noticing
from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

_INSTALL = "pip install 'pytest-xeonperf[service]'"
_PACKAGES = frozenset({"starlette", "uvicorn", "anyio"})
_AT_ONCE = 100
_PROXIES = "FORWARDED_ALLOW_IPS"
"""uvicorn's own variable: the proxies that are believed when they say for whom they ask."""

_OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")


def _a_minute(name: str, default: int, said: str) -> Callable[..., Any]:
    """An option for how often something may be done."""
    return click.option(
        name, metavar="N", type=click.IntRange(min=0), default=default, show_default=True, help=f"{said} 0: any number."
    )


@click.command
@database_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for a free one.")
@click.option(
    "--read",
    "reading",
    type=click.Choice(["auto", "open", "token"]),
    default="auto",
    show_default=True,
    help="Who may read: whoever gets there, or whoever has a token. auto: on this machine's own addresses open, else "
    "by token. Behind a proxy, say which.",
)
@click.option("--public-url", metavar="URL", default="", help="Under which people reach it, for links in what is sent.")
@_a_minute("--reads-per-minute", 600, "Pages and figures that a token, or an address without one, may ask for.")
@_a_minute("--ingests-per-minute", 120, "Runs that a token may bring.")
@_a_minute("--failures-per-minute", 10, "Tokens that an address may be wrong about.")
@notice_options
def command(
    db: str,
    host: str,
    port: int,
    *,
    reading: str,
    public_url: str,
    reads_per_minute: int,
    ingests_per_minute: int,
    failures_per_minute: int,
    **notices: Any,
) -> None:
    """Serve the history: pages at /, a JSON API at /api/v1, metrics at /metrics, badges and a feed.

    Runs are brought by `xeonperf push`, with a token that `xeonperf token create` makes.

    \b
    xeonperf serve
    xeonperf serve --db postgresql+psycopg://xeonperf@db/xeonperf --host 0.0.0.0
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    try:
        import uvicorn

        from pytest_xeonperf.service.app import Service, application
        from pytest_xeonperf.service.budgets import Budget, Budgets
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise InfrastructureError(f"{error.name} is not installed", remedy=_INSTALL) from error
    own, public = _is_loopback(host), checked(public_url) if public_url else ""
    if not public and _is_any(host) and (notices["hooks"] or notices["readers"]):
        raise UsageError("nobody can follow a link to every address of a machine", remedy="give --public-url URL")
    budgets = Budgets(
        reads=Budget(reads_per_minute), ingests=Budget(ingests_per_minute), failures=Budget(failures_per_minute)
    )
    with (
        open_store(database_or_default(db)) as store,
        _bound(host, port) as listening,
        noticing(public or _address(listening).rstrip("/"), **notices) as tellers,
    ):
        service = Service(
            store=store,
            open_to_read=reading == "open" or (own and reading == "auto"),
            hosts=_OWN_NAMES if own and reading == "auto" else ("*",),
            budgets=budgets,
            public_url=public,
            **tellers,
        )
        click.echo(f"xeonperf serve: {store.where} at {_address(listening)}", err=True)
        config = uvicorn.Config(
            application(service),
            log_level="warning",
            server_header=False,
            limit_concurrency=_AT_ONCE,
            proxy_headers=_PROXIES in os.environ,  # else whoever asks could say who he is, and pass every limit
        )
        uvicorn.Server(config).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        InfrastructureError: It cannot.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=_AT_ONCE)
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (")[0]
        raise InfrastructureError(
            f"nothing can listen there ({why})", where=f"{host}:{port}", remedy="give another --port"
        ) from error
    # else the body of an answer waits 40 ms for its head to be heard; asyncio does it where a socket names its protocol
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _address(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _is_any(host: str) -> bool:
    """Whether it stands for all addresses of this machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    """Whether only processes of this machine get there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
