"""The static pages: a folder that opens from disk. The only part of the report that writes."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.gather import Gathered
from pytest_xeonperf.report.page_alert import alert_page
from pytest_xeonperf.report.page_alerts import alerts_page
from pytest_xeonperf.report.page_case import case_page
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.page_machines import machines_page
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.render import render

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.report.grid import CaseHistory
    from pytest_xeonperf.store.repository import Store

RUN_PAGES = 50
"""Newest runs that get a page of their own; the run that the report is about always has one."""


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
    gathered = Gathered.of(store)
    gathered.runs[run.id] = run
    shown = frozenset([run.id, *(summary.id for summary in gathered.summaries[:RUN_PAGES])])
    for run_id in sorted(shown):
        yield links.run_page(run_id), render(run_page(gathered.run(run_id)))
    histories: list[CaseHistory] = []
    machines = gathered.machines
    for case, points in gathered.trends():
        alerts = gathered.alerts_of(case)
        yield links.case_page(case.id), render(case_page(case, points, machines=machines, pages=shown, alerts=alerts))
        histories += gathered.histories(case, points)
    yield links.MACHINES, render(machines_page(store.machines(), pages=shown))
    yield from _alert_pages(gathered, runs=shown, cases=frozenset(history.case.id for history in histories))
    index = index_page(run, gathered.summaries, histories, pages=shown, alerts=gathered.alerts)
    yield links.INDEX, render(index)


def _alert_pages(gathered: Gathered, *, runs: frozenset[str], cases: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Every alert, and lists of them by state; none where nothing ever became slower."""
    alerts = gathered.alerts
    if not alerts:
        return
    form = Unknown(reason="A page on disk takes no decisions; the service's do, and this command:")
    for alert in alerts:
        events = gathered.store.alert_events(alert.id)
        yield links.alert_page(alert.id), render(alert_page(alert, events, runs=runs, cases=cases, form=form))
    pages = frozenset(alert.id for alert in alerts)
    for state in sorted({alert.state for alert in alerts}):
        yield links.alerts_page(state.value), render(alerts_page(alerts, state=state, pages=pages))
    every = Unknown(reason="all are shown")
    yield links.alerts_page(), render(alerts_page(alerts, state=every, pages=pages))


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
