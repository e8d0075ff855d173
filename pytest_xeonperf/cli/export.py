"""``xeonperf export``: one run as a file that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pytest_xeonperf.cli.history import database_option, read_run, revision_argument
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange import native, openmetrics, pytest_benchmark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_xeonperf.records import Run

_FORMATS: Mapping[str, Callable[[Run], str]] = {
    "json": native.dumps,
    "pytest-benchmark": pytest_benchmark.dumps,
    "openmetrics": openmetrics.dumps,
}


@click.command
@revision_argument
@database_option
@click.option(
    "--format",
    "name",
    type=click.Choice(list(_FORMATS)),
    default="json",
    show_default=True,
    help="json: everything, raw pairs included; pytest-benchmark: the candidates' times in its schema; "
    "openmetrics: figures and verdicts for node_exporter's textfile collector.",
)
@click.option("-o", "--output", metavar="FILE", default="-", show_default=True, help="Where to write; - is stdout.")
def command(revision: str, db: str, name: str, output: str) -> None:
    """Write one run in another format: REVISION is latest, latest~1, a branch, a sha, a tag or a run id.

    \b
    xeonperf export latest --format pytest-benchmark -o run.json
    pytest-benchmark compare run.json
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    text = _FORMATS[name](read_run(db, revision))
    if output == "-":
        click.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(
            f"cannot be written: {error.strerror}", where=output, remedy="give another file with -o"
        ) from error
