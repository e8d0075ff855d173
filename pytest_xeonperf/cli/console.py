"""Where commands put what they have: tables on a console as wide as is needed, and files that somebody named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
from rich.console import Console

from pytest_xeonperf.errors import ExitCode, InfrastructureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Outcome

PERCENT = 100
_WIDTH_OF_A_FILE = 240
"""Where the output is no terminal and nobody set COLUMNS."""


html_option = click.option(
    "--html", "html_out", type=click.Path(path_type=Path), help="Write a page that needs no other file here."
)
"""``--html`` as every command that compares takes it."""


def tolerance_option(default_ratio: float, what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--tolerance`` as every command that compares takes it, in percent; `what` is lost if it is exceeded."""
    return click.option(
        "--tolerance",
        metavar="PERCENT",
        type=click.FloatRange(0, 100, min_open=True),
        default=default_ratio * PERCENT,
        show_default=True,
        help=f"{what} that nobody minds.",
    )


def table_console() -> Console:
    """A console for stdout, as wide as the terminal, and wide enough for every column where there is none."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_OF_A_FILE
    return console


def exit_code(outcome: Outcome) -> ExitCode:
    """What a command that judged ends with."""
    if outcome.red:
        return ExitCode.RED
    return ExitCode.UNDECIDED if outcome.undecided else ExitCode.OK


def write(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        InfrastructureError: It cannot be written.
    """
    _put(path, text, "w")


def append(path: Path, text: str) -> None:
    """Add to a file.

    Raises:
        InfrastructureError: It cannot be written.
    """
    _put(path, text, "a")


def _put(path: Path, text: str, mode: Literal["w", "a"]) -> None:
    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise InfrastructureError(f"cannot be written ({error.strerror})", where=str(path)) from error
