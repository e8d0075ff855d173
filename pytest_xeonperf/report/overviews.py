"""The pages in a folder that are no run's and no case's: of the machines, and of alerts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.manifest import digest
from pytest_xeonperf.report.page_alert import alert_page
from pytest_xeonperf.report.page_alerts import alerts_page
from pytest_xeonperf.report.page_machines import machines_page

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from pytest_xeonperf.alerts import Alert, AlertState
    from pytest_xeonperf.report.render import Page
    from pytest_xeonperf.store.repository import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A page that there shall be.

    Attributes:
        inputs: Digest of what it is made from.
        make: Makes its view model.
    """

    name: str
    inputs: str
    make: Callable[[], Page]


def overviews(
    store: Store, alerts: Sequence[Alert], *, runs: Collection[str], cases: Collection[str]
) -> Iterator[Wanted]:
    """The machines; the list of alerts, which every page leads to; every alert, and lists of them by state.

    Args:
        store: The history.
        alerts: Of every state.
        runs: Ids of the runs that have a page.
        cases: Ids of the cases that have one.
    """
    machines = store.machines()
    linked = {each.newest_run for each in machines}.intersection(runs)
    yield Wanted(
        name=links.MACHINES,
        inputs=digest(machines, sorted(linked)),
        make=partial(machines_page, machines, pages=linked),
    )
    for alert in alerts:
        yield _alert(store, alert, runs=runs, cases=cases)
    for state in sorted({alert.state for alert in alerts}):
        yield _listed(links.alerts_page(state.value), alerts, state)
    yield _listed(links.alerts_page(), alerts, Unknown(reason="all are shown"))


def _alert(store: Store, alert: Alert, *, runs: Collection[str], cases: Collection[str]) -> Wanted:
    events = store.alert_events(alert.id)
    of_run = {str(alert.run_id)}.intersection(runs)
    of_case = {alert.case.id}.intersection(cases)
    form = Unknown(reason="A page on disk takes no decisions; the service's do, and this command:")
    return Wanted(
        name=links.alert_page(alert.id),
        inputs=digest(alert, events, of_run, of_case),
        make=partial(alert_page, alert, events, runs=of_run, cases=of_case, form=form),
    )


def _listed(name: str, alerts: Sequence[Alert], state: AlertState | Unknown) -> Wanted:
    pages = frozenset(alert.id for alert in alerts)
    return Wanted(name=name, inputs=digest(alerts), make=partial(alerts_page, alerts, state=state, pages=pages))
