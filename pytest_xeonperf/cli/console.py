"""Where commands print their tables: as wide as the terminal, and wide enough for every column where there is none."""

from __future__ import annotations

import os

from rich.console import Console

_WIDTH_OF_A_FILE = 240
"""Where the output is no terminal and nobody set COLUMNS."""


def table_console() -> Console:
    """A console for stdout."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_OF_A_FILE
    return console
