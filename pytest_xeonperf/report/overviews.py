"""The pages in a folder that are no run's and no case's: of the machines, and of alerts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.manifest import digest
from pytest_xeonperf.report.page_alert import alert_page
from pytest_xeonperf.report.page_alerts import alerts_page
from pytest_xeonperf.report.page_machines import machines_page
from pytest_xeonperf.report.surroundings import Surroundings, machine_lines, why_of_alert
from pytest_xeonperf.report.wanted import Wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from pytest_xeonperf.alerts import Alert, AlertState
    from pytest_xeonperf.report.beside import Beside
    from pytest_xeonperf.report.page_alert import AlertPage
    from pytest_xeonperf.store.repository import Store


def overviews(alerts: Sequence[Alert], beside: Beside) -> Iterator[Wanted]:
    """The machines; the list of alerts, which every page leads to; every alert, and lists of them by state.

    Where both runs around an alert have a page, one more compares them.

    Args:
        alerts: Of every state.
        beside: Comparisons of runs in the same history and folder, which know who has a page.
    """
    store, runs, cases = beside.store, beside.runs, beside.cases
    machines = store.machines()
    linked = {each.newest_run for each in machines}.intersection(runs)
    yield Wanted(
        name=links.MACHINES,
        inputs=digest(machines, sorted(linked)),
        make=partial(machines_page, machines, pages=linked),
    )
    names = machine_lines(machines)
    pairs: dict[str, tuple[str, str]] = {}
    for alert in alerts:
        around = Surroundings.of(store, alert, names)
        pair = ("" if isinstance(around.fast_run, Unknown) else around.fast_run[0], str(alert.run_id))
        compare = beside.name(*pair)
        if compare not in {"", links.COMPARE} and not alert.case.alone:
            pairs[compare] = pair
        yield _alert(store, alert, around, runs={*pair}.intersection(runs), cases=cases, compare=compare)
    for pair in pairs.values():
        yield beside.wanted(*pair)
    for state in sorted({alert.state for alert in alerts}):
        yield _listed(links.alerts_page(state.value), alerts, state)
    yield _listed(links.alerts_page(), alerts, Unknown(reason="all are shown"))


def _alert(
    store: Store, alert: Alert, around: Surroundings, *, runs: Collection[str], cases: Collection[str], compare: str
) -> Wanted:
    events = store.alert_events(alert.id)
    of_case = {alert.case.id}.intersection(cases)
    form = Unknown(reason="A page on disk takes no decisions; the service's do, and this command:")

    def make() -> AlertPage:
        why = why_of_alert(store, alert, around.fast_run)
        return alert_page(alert, events, around=around, why=why, compare=compare, runs=runs, cases=of_case, form=form)

    inputs = digest(alert, events, around, sorted(runs), of_case, compare)
    return Wanted(name=links.alert_page(alert.id), inputs=inputs, make=make)


def _listed(name: str, alerts: Sequence[Alert], state: AlertState | Unknown) -> Wanted:
    pages = frozenset(alert.id for alert in alerts)
    return Wanted(name=name, inputs=digest(alerts), make=partial(alerts_page, alerts, state=state, pages=pages))
