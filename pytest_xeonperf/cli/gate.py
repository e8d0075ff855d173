"""``xeonperf gate``: did this change slow anything down? Base and head, measured side by side in one run."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from _pytest.config import _prepareconfig
from rich.table import Table
from rich.text import Text

from pytest_xeonperf.ci.alerts import watch_gate
from pytest_xeonperf.ci.annotations import workflow_commands
from pytest_xeonperf.ci.checkout import WORKING_TREE, base_commit, checked_out, working_tree
from pytest_xeonperf.ci.comment import SEEN_FROM, comment, figures
from pytest_xeonperf.ci.git import is_clean
from pytest_xeonperf.cli.console import PERCENT, append, exit_code, html_option, table_console, tolerance_option, write
from pytest_xeonperf.errors import UsageError, XeonPerfError
from pytest_xeonperf.exchange import comparison as as_json
from pytest_xeonperf.judge.gate_alerts import why_none
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report.page_compare import gate_page
from pytest_xeonperf.report.render import render
from pytest_xeonperf.shell.begin import machine_from_outside
from pytest_xeonperf.shell.gate import run_gate
from pytest_xeonperf.shell.gate_request import Request, Side, place_of, within
from pytest_xeonperf.shell.settings import Settings
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.location import as_typed, is_there

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.ci.checkout import Tree
    from pytest_xeonperf.judge.comparison import ComparedCase, Comparison

_STDOUT = "-"
_SHORT_SHA = 10
_TOLERANCE_RATIO = 0.02


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--base", metavar="REV", default="", help="Commit to compare with. Default: where HEAD left main.")
@click.option("--head", metavar="REV", default=WORKING_TREE, help="Commit to judge. Default: the files as they are.")
@click.option(
    "--base-python",
    metavar="PATH",
    default="",
    help="Interpreter of base: another torch, another wheel. Without --base, base's files are those of head.",
)
@click.option("--head-python", metavar="PATH", default="", help="Interpreter of head. Default: this one.")
@tolerance_option(_TOLERANCE_RATIO, "Slow-down")
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    default=900.0,
    show_default=True,
    help="Silence of an idle worker that is taken for a hang; ten times as much of one at work.",
)
@click.option(
    "--json",
    "json_out",
    metavar="FILE",
    default="",
    help="Write JSON of the stable schema xeonperf-gate/1 here; - for stdout, in place of the table.",
)
@click.option("--comment", "comment_out", type=click.Path(path_type=Path), help="Write Markdown for a comment here.")
@html_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(
    base: str,
    head: str,
    base_python: str,
    head_python: str,
    tolerance: float,
    *,
    patience: float,
    json_out: str,
    comment_out: Path | None,
    html_out: Path | None,
    arguments: tuple[str, ...],
) -> int:
    """Compare two commits and fail if head is slower: exit code 0, 1 (slower), 6 (undecided, nothing compared).

    ARGUMENTS are pytest's: suites, -k, --xeonperf-preset and so on. Both commits run in the same rounds, each from
    files of its own; what seems slower is measured once more in fresh processes. Where the history of
    --xeonperf-db is there and head is a commit, alerts are raised in it: see `xeonperf alerts`.

    \b
    xeonperf gate suites/
    xeonperf gate --base v1.2 suites/test_llm.py -k int4
    xeonperf gate --base HEAD --base-python ~/torch-2.12/bin/python suites/
    """  # noqa: D301 - click's \b keeps the lines of an example apart
    home = working_tree(Path.cwd())
    given = within(arguments, home.directory, home.root)
    settings = _settings(given)
    with ExitStack() as stack:
        stack.enter_context(_ended_by_sigterm())
        head_tree = stack.enter_context(checked_out(home, head, "--head"))
        if base_python and not base:
            base_tree = head_tree
        else:
            base_tree = stack.enter_context(checked_out(home, base_commit(home, base, head), "--base"))
        _require_difference(base_tree, head_tree, base_python, head_python)
        talk = _Talk()
        talk.say(f"base {_told(base_tree)}, head {_told(head_tree)}")
        if settings.processes > 1:
            talk.say(f"{settings.processes} processes are configured for sessions; each side of a gate is one")
        request = Request(
            base=place_of(Side.BASE, base_tree, base_python, home),
            head=place_of(Side.HEAD, head_tree, head_python, home),
            home=home.root,
            arguments=given if settings.enabled else ("--xeonperf", *given),
            settings=settings,
            machine=machine_from_outside(settings),
            tolerance=tolerance / PERCENT,
            patience_s=patience,
            command=as_typed(["xeonperf", *sys.argv[1:]], settings.db),
        )
        found = run_gate(request, talk)
        talk.end()
    if html_out is not None:
        write(html_out, render(gate_page(found)))
    if found.outcome.red:
        _alert(found, settings.db, talk)
    _tell(found, home, json_out=json_out, comment_out=comment_out)
    return exit_code(found.outcome)


def _alert(found: Comparison, db: str, talk: _Talk) -> None:
    """Raise alerts in the history, where there is one; nothing that goes wrong there changes the verdict."""
    try:
        if not is_there(db):
            return
        if found.head_commit.dirty:
            talk.say("no alerts: head has uncommitted changes, which nobody else could find")
            return
        if why := why_none(found):
            talk.say(f"no alerts: {why}")
            return
        with open_store(db) as store:
            line = watch_gate(store, found, at=datetime.now(UTC).isoformat(timespec="seconds")).line
    except XeonPerfError as error:
        line = f"no alerts were raised: {error}"
    if line:
        talk.say(line)


def _settings(arguments: tuple[str, ...]) -> Settings:
    """As pytest would resolve them here, without the user's code: that is the workers' to import."""
    try:
        config = _prepareconfig(["--noconftest", *arguments])
        try:
            settings = Settings.from_pytest(config)
            _refuse_processes(config, settings)
            return settings
        finally:
            config._ensure_unconfigure()  # noqa: SLF001 - as pytest.main does
    except (pytest.UsageError, SystemExit) as error:
        raise UsageError(
            f"pytest does not take these arguments: {error}", remedy="try them with pytest --collect-only"
        ) from None


def _refuse_processes(config: pytest.Config, settings: Settings) -> None:
    """Who asks a gate for several processes would believe an interval over processes that it does not have."""
    if settings.processes > 1 and config.getoption("xeonperf_processes"):
        raise UsageError(
            f"a gate does not measure in {settings.processes} processes: each side is one, and what seems slower is "
            "measured once more in fresh ones",
            where="--xeonperf-processes",
            remedy="leave it out; pytest --xeonperf takes it",
        )


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """A CI that cancels its job sends SIGTERM: then too the workers end and the trees go."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _require_difference(base: Tree, head: Tree, base_python: str, head_python: str) -> None:
    same = base.commit.sha == head.commit.sha and base_python == head_python
    if same and (head.root == base.root or is_clean(head.root)):
        raise UsageError(
            f"base and head are both {head.commit.sha[:_SHORT_SHA]}, without changes: there is nothing to compare",
            remedy="name another --base",
        )


def _tell(found: Comparison, home: Tree, *, json_out: str, comment_out: Path | None) -> None:
    text, document = comment(found), as_json.dumps(found)
    if json_out == _STDOUT:
        click.echo(document, nl=False)
    else:
        _print(found)
    if json_out not in {"", _STDOUT}:
        write(Path(json_out), document)
    if comment_out is not None:
        write(comment_out, text)
    summary = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if summary:
        append(Path(summary), text)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in workflow_commands(found, home.directory.relative_to(home.root.resolve())):
            click.echo(line, err=json_out == _STDOUT)


def _print(found: Comparison) -> None:
    console = table_console()
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_edge=False)
    for title, right in (
        ("case", False),
        ("variant", False),
        ("base", True),
        ("head", True),
        ("time of head", True),
        ("slow-down seen from", True),
        ("speed-up", True),
        ("rounds", True),
        ("verdict", False),
    ):
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    for each in found.worst_first:
        table.add_row(*map(Text, _cells(each)))
    if found.cases:
        console.print(table)
    if any(not isinstance(each.seen_from, Unknown) for each in found.cases):
        console.print(Text(SEEN_FROM))
    for each in found.worst_first:
        if each.reason:
            console.print(Text(f"{each.outcome.value} {each.label}: {each.reason}"))
    for note in (*found.notes, *found.remarks):
        console.print(Text(note))
    console.print(Text(found.outcome.value if found.cases else "nothing was compared"))


def _cells(each: ComparedCase) -> tuple[str, ...]:
    rounds = "-" if isinstance(each.change, Unknown) else str(each.change.pairs)
    name = f"{each.case.workload}/{each.case.phase}"
    return (name, each.case.variant, *figures(each), rounds, each.outcome.value)


def _told(tree: Tree) -> str:
    return f"{tree.commit.sha[:_SHORT_SHA]}{' with uncommitted changes' if tree.commit.dirty else ''}"


class _Talk:
    """Lines on stderr; where it is a terminal, how far a step has got stands below them until the next word."""

    def say(self, words: str) -> None:
        self.end()
        click.echo(f"xeonperf gate: {words}", err=True)

    def show(self, words: str) -> None:
        if sys.stderr.isatty():
            self.end()
            click.echo(f"xeonperf gate: {words}", err=True, nl=False)

    def end(self) -> None:
        if sys.stderr.isatty():
            click.echo("\r\x1b[K", err=True, nl=False)
