"""The first page: the verdict, what needs attention, every case at a glance, and the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Measurement, Outcome, Timing, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.choice import NOWHERE, ToCompare
from pytest_xeonperf.report.filters import Filter, Filters, branch_of, machine_names
from pytest_xeonperf.report.grid import AloneRow, CaseHistory, GridRow, Place, alone_rows, answers, grid, variants_of
from pytest_xeonperf.report.page_alerts import open_alerts_words
from pytest_xeonperf.report.page_run import anchors, run_facts
from pytest_xeonperf.report.run_list import RunRow, run_rows
from pytest_xeonperf.report.verdict import Badge, Banner, badge, banner
from pytest_xeonperf.units import show_estimate, show_ns

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.report.environment import Fact
    from pytest_xeonperf.store.summaries import RunSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A case of the run that is red or undecided, and why."""

    href: str
    label: str
    badge: Badge
    found: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """The whole page; `alerts` says how many are open, and nothing where there never was one."""

    title: str
    banner: Banner
    run_href: str
    facts: tuple[Fact, ...]
    attention: tuple[Attention, ...]
    variants: tuple[str, ...]
    grid: tuple[GridRow, ...]
    alone: tuple[AloneRow, ...]
    runs: tuple[RunRow, ...]
    filters: tuple[Filter, ...]
    alerts: str
    compare: ToCompare


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
    place = Place(run_id=run.id, machines=machines, filters=filters)
    return IndexPage(
        title="pytest-xeonperf",
        banner=banner(run),
        run_href=links.run_page(run.id),
        facts=run_facts(run),
        attention=_attention(run),
        variants=variants,
        grid=grid(compared, variants, place),
        alone=tuple(row for history in histories if history.case.alone for row in alone_rows(history, place)),
        runs=run_rows(runs, current=run.id, pages=pages, machines=machines, filters=filters),
        filters=filters.shown,
        alerts=open_alerts_words(alerts),
        compare=compare,
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


def _attention(run: Run) -> tuple[Attention, ...]:
    """What is not green: red before undecided, else in the order measured."""
    wanting = [
        (result, anchor)
        for result, anchor in zip(run.results, anchors(run.results), strict=True)
        if result.verdict.outcome is not Outcome.PASS
    ]
    wanting.sort(key=lambda pair: pair[0].verdict.outcome.undecided)
    return tuple(
        Attention(
            href=f"{links.run_page(run.id)}#{anchor}",
            label=result.case.label,
            badge=badge(result.verdict.outcome),
            found=_found(result.measurement),
            reason=result.verdict.reason,
        )
        for result, anchor in wanting
    )


def _found(measurement: Measurement | Timing | Unknown) -> str:
    if isinstance(measurement, Unknown):
        return ""
    return show_ns(measurement.median_ns) if isinstance(measurement, Timing) else show_estimate(measurement.speedup)
