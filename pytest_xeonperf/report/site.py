"""The static pages: a folder that opens from disk. The only part of the report that writes."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.report import links
from pytest_xeonperf.report.page_case import case_page
from pytest_xeonperf.report.page_index import CaseHistory, index_page
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_xeonperf.records import Case, Result, Run
    from pytest_xeonperf.store.repository import Store

RUNS_LISTED = 100
"""Runs in the table of the first page."""

RUN_PAGES = 50
"""Newest runs that get a page of their own; the run that the report is about always has one."""

TREND_POINTS = 500
"""Newest runs in the trend of a case."""


def write_site(store: Store, directory: Path, *, run_id: str) -> Path:
    """Write every page about a run and its history, and give the path of the first one.

    Pages are replaced one by one and never seen half written. A new folder is hidden from git.

    Args:
        store: The history.
        directory: Where the pages go; made if it is not there.
        run_id: The run that the verdict on the first page is about.

    Raises:
        UsageError: There is no such run.
        InfrastructureError: The folder cannot be written.
    """
    run = store.run(run_id)
    try:
        _make(directory)
        for name, html in _pages(store, run):
            _replace(directory / name, html)
    except OSError as error:
        raise InfrastructureError(
            f"the report cannot be written: {error.strerror}",
            where=str(directory),
            remedy="give another folder with -o, or make room and permission in this one",
        ) from error
    return directory / links.INDEX


def _pages(store: Store, run: Run) -> Iterator[tuple[str, str]]:
    """Name and HTML of every page, the first one last: what it links to is there when it is."""
    summaries = store.runs(limit=RUNS_LISTED)
    runs: dict[str, Run] = {run.id: run}
    for summary in summaries[:RUN_PAGES]:
        if summary.id not in runs:
            runs[summary.id] = store.run(summary.id)
    shown = frozenset(runs)
    for one in runs.values():
        yield links.run_page(one.id), render(run_page(one))
    machines = {summary.comparability_class: f"{summary.cpu_model}, {summary.isa}" for summary in summaries}
    histories = []
    for case in store.cases():
        points = store.trend(case.id, limit=TREND_POINTS)
        yield links.case_page(case.id), render(case_page(case, points, machines=machines, pages=shown))
        if not points:
            continue
        newest = points[-1].run_id
        found = _latest(runs, newest, case)
        if not found:
            runs[newest] = store.run(newest)
            found = _latest(runs, newest, case)
        histories += [CaseHistory(case=case, points=points, latest=result) for result in found]
    yield links.INDEX, render(index_page(run, summaries, histories, pages=shown))


def _latest(runs: dict[str, Run], run_id: str, case: Case) -> tuple[Result, ...]:
    """The result of a case in a run; none if the run was not read, or read before another session added it."""
    results = runs[run_id].results if run_id in runs else ()
    return tuple(result for result in results if result.case.id == case.id)[-1:]


def _make(directory: Path) -> None:
    if directory.exists():
        return
    directory.mkdir(parents=True)
    (directory / ".gitignore").write_text("# Made by pytest-xeonperf: rendered again whenever it is wanted.\n*\n")


def _replace(path: Path, html: str) -> None:
    """Write beside the page, then take its place in one step: a reader finds the old page or the new one."""
    draft = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.part")
    try:
        draft.write_text(html, encoding="utf-8")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
