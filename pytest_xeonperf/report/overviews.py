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
from pytest_xeonperf.report.surroundings import Surroundings, machine_lines, why_of_alert

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert, AlertState
    from pytest_xeonperf.report.beside import Beside
    from pytest_xeonperf.report.page_alert import AlertPage
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
    store: Store, alerts: Sequence[Alert], *, runs: Collection[str], cases: Collection[str], beside: Beside
) -> Iterator[Wanted]:
    """The machines; the list of alerts, which every page leads to; every alert, and lists of them by state.

    Args:
        store: The history.
        alerts: Of every state.
        runs: Ids of the runs that have a page.
        cases: Ids of the cases that have one.
        beside: The two runs that are compared.
    """
    machines = store.machines()
    linked = {each.newest_run for each in machines}.intersection(runs)
    yield Wanted(
        name=links.MACHINES,
        inputs=digest(machines, sorted(linked)),
        make=partial(machines_page, machines, pages=linked),
    )
    names = machine_lines(machines)
    for alert in alerts:
        yield _alert(store, alert, names, runs=runs, cases=cases, beside=beside)
    for state in sorted({alert.state for alert in alerts}):
        yield _listed(links.alerts_page(state.value), alerts, state)
    yield _listed(links.alerts_page(), alerts, Unknown(reason="all are shown"))


def _alert(
    store: Store,
    alert: Alert,
    machines: Mapping[str, str],
    *,
    runs: Collection[str],
    cases: Collection[str],
    beside: Beside,
) -> Wanted:
    events = store.alert_events(alert.id)
    around = Surroundings.of(store, alert, machines)
    fast_id = "" if isinstance(around.fast_run, Unknown) else around.fast_run[0]
    of_runs = sorted({str(alert.run_id), fast_id}.intersection(runs))
    of_case = {alert.case.id}.intersection(cases)
    compare = links.COMPARE if (fast_id, alert.run_id) == (beside.base_id, beside.head.id) else ""
    form = Unknown(reason="A page on disk takes no decisions; the service's do, and this command:")

    def make() -> AlertPage:
        why = why_of_alert(store, alert, around.fast_run)
        return alert_page(
            alert, events, around=around, why=why, compare=compare, runs=of_runs, cases=of_case, form=form
        )

    inputs = digest(alert, events, around, of_runs, of_case, compare)
    return Wanted(name=links.alert_page(alert.id), inputs=inputs, make=make)


def _listed(name: str, alerts: Sequence[Alert], state: AlertState | Unknown) -> Wanted:
    pages = frozenset(alert.id for alert in alerts)
    return Wanted(name=name, inputs=digest(alerts), make=partial(alerts_page, alerts, state=state, pages=pages))
