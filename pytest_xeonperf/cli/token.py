"""``xeonperf token``: who may bring runs to the service, read them, or decide about alerts."""

from __future__ import annotations

import click

from pytest_xeonperf.cli.history import database_option, database_or_default
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope
from pytest_xeonperf.units import show_time


@click.group
def command() -> None:
    """Make, list and revoke tokens of `xeonperf serve`."""


@command.command
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([scope.value for scope in Scope]),
    default=(Scope.INGEST.value,),
    show_default=True,
    help="What it is good for; may be given twice.",
)
@database_option
def create(name: str, scopes: tuple[str, ...], db: str) -> None:
    """Make a token for NAME and print it: it is shown this once, and kept nowhere."""
    with open_store(database_or_default(db)) as store:
        token, text = store.create_token(name, [Scope(scope) for scope in scopes])
    click.echo(text)
    click.echo(f"token {token.id} for {name}: {', '.join(token.scopes)}; set XEONPERF_TOKEN to it", err=True)


@command.command(name="list")
@database_option
def list_all(db: str) -> None:
    """List tokens without their secrets."""
    with open_store(database_or_default(db), readonly=True) as store:
        for token in store.tokens():
            state = f"revoked {show_time(token.revoked_at)}" if token.revoked_at else "good"
            click.echo(f"{token.id}  {','.join(token.scopes)}  {show_time(token.created_at)}  {state}  {token.name}")


@command.command
@click.argument("token_id")
@database_option
def revoke(token_id: str, db: str) -> None:
    """Make a token good for nothing."""
    with open_store(database_or_default(db)) as store:
        store.revoke_token(token_id)
