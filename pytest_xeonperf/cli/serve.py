"""``xeonperf serve``: the history as pages and as an API."""

from __future__ import annotations

import ipaddress

import click

from pytest_xeonperf.cli.history import database_option, database_or_default
from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.store.engine import open_store

_INSTALL = "pip install 'pytest-xeonperf[service]'"


@click.command
@database_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option(
    "--open-to-read",
    is_flag=True,
    help="Let everybody read who gets there. Default: on this machine's own addresses yes, on others with a token.",
)
def command(db: str, host: str, port: int, *, open_to_read: bool) -> None:
    """Serve the history: pages at /, a JSON API at /api/v1.

    Runs are brought by `xeonperf push`, with a token that `xeonperf token create` makes.

    \b
    xeonperf serve
    xeonperf serve --db postgresql+psycopg://xeonperf@db/xeonperf --host 0.0.0.0
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    try:
        import uvicorn

        from pytest_xeonperf.service.app import Service, application
    except ImportError as error:
        raise InfrastructureError(f"{error.name} is not installed", remedy=_INSTALL) from error
    with open_store(database_or_default(db)) as store:
        service = Service(store=store, open_to_read=open_to_read or _is_loopback(host))
        click.echo(f"xeonperf serve: {store.where} at http://{host}:{port}/", err=True)
        uvicorn.run(application(service), host=host, port=port, log_level="warning", server_header=False)


def _is_loopback(host: str) -> bool:
    """Whether only processes of this machine get there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
