"""Whom ``xeonperf serve`` tells of red runs and of alerts: options, and what comes of them. Without one, nobody."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from pytest_xeonperf.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.ci.alerts import News
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.service.outbox import Channel

_OPTIONS = (
    click.option(
        "--web-hook",
        "hooks",
        metavar="URL",
        multiple=True,
        help="Where red runs and new alerts are told by signed POST requests.",
    ),
    click.option(
        "--web-hook-secret-file",
        "secret_file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="What the requests are signed with, shared with whoever listens there.",
    ),
    click.option(
        "--mail-to",
        "readers",
        metavar="ADDRESS",
        multiple=True,
        help="To whom red runs and new alerts are told by mail.",
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


class Tellers(TypedDict, total=False):
    """What a `Service` calls; nothing where nobody is told."""

    arrived: Callable[[Run], None]
    seen: Callable[[News, str], None]


@contextmanager
def noticing(public_url: str, *, outbox: Path, **given: Any) -> Iterator[Tellers]:
    """What tells of runs and of alerts, while it lasts.

    Args:
        public_url: Where people find the pages.
        outbox: Where notices wait.
        given: The other options.

    Raises:
        UsageError: Something is missing, or is none of what it should be.
    """
    from pytest_xeonperf.service.announcement import changed_alerts, is_red, red_run
    from pytest_xeonperf.service.outbox import Outbox

    channels = _channels(**given)
    if not channels:
        yield {}
        return
    with Outbox(outbox, channels) as opened:

        def arrived(run: Run) -> None:
            if is_red(run):
                opened.put(red_run(run, public_url=public_url))

        def seen(news: News, at: str) -> None:
            opened.put(changed_alerts(news, at=at, public_url=public_url))

        yield {"arrived": arrived, "seen": seen}


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
