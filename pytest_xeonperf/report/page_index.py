"""The first page: the verdict, what needs attention, every case at a glance, and the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.evidence import fidelity_facts, share_of_limit
from pytest_xeonperf.report.page_run import anchors, run_facts
from pytest_xeonperf.report.sparkline import Sparkline, sparkline
from pytest_xeonperf.report.verdict import Badge, Banner, Count, badge, banner, counts, overall
from pytest_xeonperf.units import show_estimate, show_interval, show_ratio, show_time
from pytest_xeonperf.variants.spec import NAMED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_xeonperf.records import Case, Result, Run
    from pytest_xeonperf.report.environment import Fact
    from pytest_xeonperf.store.summaries import RunSummary, TrendPoint

SPARK_POINTS = 40
"""Runs a sparkline looks back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHistory:
    """All that the page needs to know about one case.

    Attributes:
        points: Its trend, oldest first, at least one.
        latest: Its newest result in full.
    """

    case: Case
    points: tuple[TrendPoint, ...]
    latest: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """A case of the run that is red or undecided, and why."""

    href: str
    label: str
    badge: Badge
    found: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One case in the grid.

    Attributes:
        stale: When it was last measured, where that was not in the run that the page is about; else empty.
    """

    href: str
    over: str
    badge: Badge
    speedup: str
    interval: str
    gap: str
    sparkline: Sparkline
    share: Fact | Unknown
    fidelity: tuple[Fact, ...]
    stale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRow:
    """The cases of one workload and phase, a list for each column; `over` is their usual baseline."""

    workload: str
    phase: str
    preset: str
    over: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One line in the table of runs; `href` is empty where the run has no page."""

    href: str
    date: str
    state: str
    badge: Badge
    counts: tuple[Count, ...]
    sha: str | Unknown
    branch: str | Unknown
    machine: str
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPage:
    """The whole page."""

    title: str
    banner: Banner
    run_href: str
    facts: tuple[Fact, ...]
    attention: tuple[Attention, ...]
    variants: tuple[str, ...]
    grid: tuple[GridRow, ...]
    runs: tuple[RunRow, ...]


def index_page(
    run: Run, runs: Sequence[RunSummary], histories: Sequence[CaseHistory], *, pages: Collection[str]
) -> IndexPage:
    """The first page.

    Args:
        run: The run that the verdict is about.
        runs: Newest first.
        histories: Of every case there is.
        pages: Ids of the runs that have a page to link to.
    """
    variants = _variants(history.case for history in histories)
    return IndexPage(
        title="pytest-xeonperf",
        banner=banner(run),
        run_href=links.run_page(run.id),
        facts=run_facts(run),
        attention=_attention(run),
        variants=variants,
        grid=_grid(histories, variants, run.id),
        runs=tuple(_run_row(summary, current=summary.id == run.id, pages=pages) for summary in runs),
    )


def _variants(cases: Iterable[Case]) -> tuple[str, ...]:
    """Columns of the grid: the ladder of the shipped variants, then the others by name."""
    present = {case.variant for case in cases}
    return (*(name for name in NAMED if name in present), *sorted(present - NAMED.keys()))


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
            found="" if isinstance(result.measurement, Unknown) else show_estimate(result.measurement.speedup),
            reason=result.verdict.reason,
        )
        for result, anchor in wanting
    )


def _grid(histories: Sequence[CaseHistory], variants: Sequence[str], run_id: str) -> tuple[GridRow, ...]:
    rows: dict[tuple[str, str, str], list[CaseHistory]] = {}
    for history in histories:
        case = history.case
        rows.setdefault((case.workload, case.phase, case.preset), []).append(history)
    return tuple(_grid_row(key, rows[key], variants, run_id) for key in sorted(rows))


def _grid_row(
    key: tuple[str, str, str], histories: Sequence[CaseHistory], variants: Sequence[str], run_id: str
) -> GridRow:
    workload, phase, preset = key
    overs = [history.case.over for history in histories]
    return GridRow(
        workload=workload,
        phase=phase,
        preset=preset,
        over=max(dict.fromkeys(overs), key=overs.count),
        cells=tuple(
            tuple(_cell(history, run_id) for history in histories if history.case.variant == variant)
            for variant in variants
        ),
    )


def _cell(history: CaseHistory, run_id: str) -> Cell:
    newest = history.points[-1]
    comparable = [p for p in history.points if p.comparability_class == newest.comparability_class][-SPARK_POINTS:]
    ratios = [p.speedup if isinstance(p.speedup, Unknown) else p.speedup.ratio for p in comparable]
    measurement = history.latest.measurement
    speedup = newest.speedup
    return Cell(
        href=links.case_page(history.case.id),
        over=history.case.over,
        badge=badge(newest.outcome),
        speedup="" if isinstance(speedup, Unknown) else show_ratio(speedup.ratio),
        interval="" if isinstance(speedup, Unknown) else show_interval(speedup),
        gap=speedup.reason if isinstance(speedup, Unknown) else "",
        sparkline=sparkline(ratios, newest.floor_ratio),
        share=measurement if isinstance(measurement, Unknown) else share_of_limit(measurement.roofline),
        fidelity=() if isinstance(measurement, Unknown) else fidelity_facts(measurement),
        stale="" if newest.run_id == run_id else show_time(newest.started_at),
    )


def _run_row(summary: RunSummary, *, current: bool, pages: Collection[str]) -> RunRow:
    outcomes = [outcome for outcome, number in summary.outcomes for _ in range(number)]
    return RunRow(
        href=links.run_page(summary.id) if summary.id in pages else "",
        date=show_time(summary.started_at),
        state=summary.state,
        badge=overall(outcomes),
        counts=counts(outcomes),
        sha=summary.sha if isinstance(summary.sha, Unknown) else summary.sha[:10],
        branch=summary.branch,
        machine=f"{summary.cpu_model}, {summary.isa}",
        current=current,
    )
