"""Whom ``xeonperf serve`` tells of red runs: options, and what comes of them. Without one, nobody."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_xeonperf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.service.outbox import Channel

_OPTIONS = (
    click.option(
        "--web-hook", "hooks", metavar="URL", multiple=True, help="Where each red run is told by a signed POST request."
    ),
    click.option(
        "--web-hook-secret-file",
        "secret_file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="What the requests are signed with, shared with whoever listens there.",
    ),
    click.option(
        "--mail-to", "readers", metavar="ADDRESS", multiple=True, help="To whom each red run is told by mail."
    ),
    click.option("--mail-from", "sender", metavar="ADDRESS", default="", help="Default: xeonperf at this machine."),
    click.option(
        "--smtp",
        metavar="HOST[:PORT]",
        default="",
        help="The mail server, which takes mail without a password; encrypted where it offers that.",
    ),
    click.option(
        "--outbox",
        metavar="FOLDER",
        type=click.Path(path_type=Path),
        default=Path(".xeonperf", "notices"),
        show_default=True,
        help="Where notices wait until they are sent, also through a restart.",
    ),
)


def notice_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options, in this order in the help."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@contextmanager
def noticing(public_url: str, *, outbox: Path, **given: Any) -> Iterator[Callable[[Run], None]]:
    """What tells of a run that arrived, while it lasts.

    Args:
        public_url: Where people find the pages.
        outbox: Where notices wait.
        given: The other options.

    Raises:
        UsageError: Something is missing, or is none of what it should be.
    """
    from pytest_xeonperf.service.announcement import is_red, red_run
    from pytest_xeonperf.service.outbox import Outbox

    channels = _channels(**given)
    if not channels:
        yield lambda _: None
        return
    with Outbox(outbox, channels) as opened:

        def tell(run: Run) -> None:
            if is_red(run):
                opened.put(red_run(run, public_url=public_url))

        yield tell


def _channels(
    *, hooks: tuple[str, ...], secret_file: Path | None, readers: tuple[str, ...], sender: str, smtp: str
) -> list[Channel]:
    from pytest_xeonperf.service.mail import Mail
    from pytest_xeonperf.service.web_hook import WebHook, read_secret

    if hooks and secret_file is None:
        raise UsageError("a web hook needs a secret to sign with", remedy="give --web-hook-secret-file FILE")
    if readers and not smtp:
        raise UsageError("mail needs a server", remedy="give --smtp HOST[:PORT]")
    secret = read_secret(secret_file) if secret_file else b""
    return [
        *(WebHook(url, secret) for url in dict.fromkeys(hooks)),
        *(Mail(to, smtp=smtp, sender=sender) for to in dict.fromkeys(readers)),
    ]
