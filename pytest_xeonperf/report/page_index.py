"""The first page: the verdict, what needs attention, every case at a glance, and the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange.alert_words import commits
from pytest_xeonperf.records import Measurement, Outcome, Timing, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.choice import NOWHERE, ToCompare
from pytest_xeonperf.report.elsewhere import RedRun, red_elsewhere, with_elsewhere
from pytest_xeonperf.report.figures import Shown
from pytest_xeonperf.report.filters import OTHER_MACHINE, Filter, Filters, branch_of, machine_names
from pytest_xeonperf.report.grid import (
    AloneRow,
    CaseHistory,
    GridRow,
    Place,
    alone_rows,
    answers,
    grid,
    variants_of,
)
from pytest_xeonperf.report.newest import most_elsewhere
from pytest_xeonperf.report.page_alerts import BADGES, open_alerts_words
from pytest_xeonperf.report.page_run import anchors, run_facts
from pytest_xeonperf.report.run_list import RunRow, run_rows
from pytest_xeonperf.report.slower import open_ones, with_alerts
from pytest_xeonperf.report.slower_cells import alerts_by_case
from pytest_xeonperf.report.verdict import FAILED, Badge, Banner, Tone, badge, banner
from pytest_xeonperf.units import show_count, show_day, show_estimate, show_ns, show_slower

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.report.environment import Fact
    from pytest_xeonperf.store.summaries import RunSummary


ALERTS_NAMED = 10
"""At most so many among what needs attention, the worst; the list of alerts has them all."""

RUNS_SHOWN = 20
"""Of the runs listed, until somebody wants the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A case of the run that is red or undecided, one that became slower, or a run that is red, and why.

    Attributes:
        href: Empty where there is nothing to lead to.
    """

    href: str
    label: str
    badge: Badge
    found: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """The whole page.

    Attributes:
        more_alerts: How many open alerts are not among what needs attention; empty where all are.
        figures: What the cells of the grid can show; the first one until somebody chooses.
        alerts: How many are open, and nothing where there never was one.
        open_alerts: The same as a number.
        runs_shown: So many of the runs, until somebody wants the others.
    """

    title: str
    banner: Banner
    run_href: str
    facts: tuple[Fact, ...]
    attention: tuple[Attention, ...]
    more_alerts: str
    figures: tuple[Shown, ...]
    variants: tuple[str, ...]
    grid: tuple[GridRow, ...]
    alone: tuple[AloneRow, ...]
    runs: tuple[RunRow, ...]
    filters: tuple[Filter, ...]
    alerts: str
    compare: ToCompare
    open_alerts: int
    runs_shown: int = RUNS_SHOWN


def index_page(
    run: Run,
    runs: Sequence[RunSummary],
    histories: Sequence[CaseHistory],
    *,
    pages: Collection[str],
    alerts: Sequence[Alert] = (),
    compare: ToCompare = NOWHERE,
) -> IndexPage:
    """The first page.

    Args:
        run: The run that the verdict is about.
        runs: Newest first.
        histories: Of every case there is.
        pages: Ids of the runs that have a page to link to.
        alerts: Of every state.
        compare: Where the run is compared with others.
    """
    compared = [history for history in histories if not history.case.alone]
    variants = variants_of(history.case for history in compared)
    machines = machine_names(runs)
    filters = _filters(runs, machines, histories)
    place = Place(
        run_id=run.id,
        machines=machines,
        filters=filters,
        alerts=alerts_by_case(alerts),
        mixed=len({point.comparability_class for history in histories for point in history.points}) > 1,
        elsewhere=most_elsewhere(len(histories)),
    )
    still = open_ones(alerts)
    unnamed = len(still) - ALERTS_NAMED
    own = banner(run, places=_places(run), of_run=" of this run")
    elsewhere = red_elsewhere(run, runs, machines, pages)
    return IndexPage(
        title="pytest-xeonperf",
        banner=with_alerts(with_elsewhere(own, elsewhere), still, machines),
        run_href=links.run_page(run.id),
        facts=run_facts(run),
        attention=_attention(run, elsewhere, still[:ALERTS_NAMED], machines),
        more_alerts=show_count(unnamed, "more open alert") if unnamed > 0 else "",
        figures=tuple(Shown),
        variants=variants,
        grid=grid(compared, variants, place),
        alone=tuple(row for history in histories if history.case.alone for row in alone_rows(history, place)),
        runs=run_rows(runs, current=run.id, pages=pages, machines=machines, filters=filters),
        filters=filters.shown,
        alerts=open_alerts_words(alerts),
        compare=compare,
        open_alerts=len(still),
    )


def _filters(runs: Sequence[RunSummary], machines: Mapping[str, str], histories: Sequence[CaseHistory]) -> Filters:
    """Every machine and branch of the runs, and everything that cases have."""
    found: dict[str, list[str]] = {
        "machine": list(machines.values()),
        "branch": [branch_of(run.branch) for run in runs],
    }
    for history in histories:
        for name, value in answers(history.case, history.points[-1], machines).items():
            if value:
                found.setdefault(name, []).append(value)
    return Filters.of(found)


def _places(run: Run) -> tuple[str, ...]:
    """Where each result of a run is shown in full."""
    return tuple(f"{links.run_page(run.id)}#{anchor}" for anchor in anchors(run.results))


def _attention(
    run: Run, elsewhere: Sequence[RedRun], alerts: Sequence[Alert], machines: Mapping[str, str]
) -> tuple[Attention, ...]:
    """What is not green or became slower: red before undecided.

    Within each results are in the order measured, then come runs on other machines, then alerts.
    """
    wanting = [
        Attention(
            href=place,
            label=result.case.label,
            badge=badge(result.verdict.outcome),
            found=_found(result.measurement),
            reason=result.verdict.reason,
        )
        for result, place in zip(run.results, _places(run), strict=True)
        if result.verdict.outcome is not Outcome.PASS
    ]
    wanting += [
        Attention(href=each.href, label=each.name, badge=FAILED, found=each.came_to, reason="") for each in elsewhere
    ]
    wanting += [_slower(alert, machines) for alert in alerts]
    return tuple(sorted(wanting, key=lambda item: item.badge.tone is not Tone.BAD))


def _slower(alert: Alert, machines: Mapping[str, str]) -> Attention:
    where = f" on {machines.get(alert.comparability_class, OTHER_MACHINE)}" if len(machines) > 1 else ""
    whose = f"assigned to {alert.assignee}" if alert.assignee else "assigned to nobody"
    return Attention(
        href=links.alert_page(alert.id),
        label=alert.case.label,
        badge=Badge(word=show_slower(alert.latency_ratio), sign="▼", tone=BADGES[alert.state].tone),
        found=f"{show_ns(alert.before_ns)} → {show_ns(alert.after_ns)}",
        reason=f"since {show_day(alert.since)}, between {commits(alert)}{where}; {alert.state.value}, {whose}",
    )


def _found(measurement: Measurement | Timing | Unknown) -> str:
    if isinstance(measurement, Unknown):
        return ""
    return show_ns(measurement.median_ns) if isinstance(measurement, Timing) else show_estimate(measurement.speedup)
