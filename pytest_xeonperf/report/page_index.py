"""The first page: the verdict, what needs attention, every case at a glance, and the runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import TIMED_ALONE, Measurement, Outcome, Timing, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.evidence import fidelity_facts, share_of_limit
from pytest_xeonperf.report.page_alerts import open_alerts_words
from pytest_xeonperf.report.page_run import anchors, run_facts
from pytest_xeonperf.report.sparkline import Sparkline, latency_sparkline, sparkline
from pytest_xeonperf.report.verdict import Badge, Banner, Count, badge, banner, counts, overall
from pytest_xeonperf.units import show_estimate, show_interval, show_ns, show_ratio, show_time
from pytest_xeonperf.variants.spec import NAMED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from pytest_xeonperf.alerts import Alert
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
class AloneRow:
    """One case that is timed alone; `gap` and `stale` as in a `Cell`."""

    href: str
    name: str
    group: str
    badge: Badge
    latency: str
    gap: str
    sparkline: Sparkline
    stale: str


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
    alerts: str


def index_page(
    run: Run,
    runs: Sequence[RunSummary],
    histories: Sequence[CaseHistory],
    *,
    pages: Collection[str],
    alerts: Sequence[Alert] = (),
) -> IndexPage:
    """The first page.

    Args:
        run: The run that the verdict is about.
        runs: Newest first.
        histories: Of every case there is.
        pages: Ids of the runs that have a page to link to.
        alerts: Of every state.
    """
    compared = [history for history in histories if not history.case.alone]
    variants = _variants(history.case for history in compared)
    return IndexPage(
        title="pytest-xeonperf",
        banner=banner(run),
        run_href=links.run_page(run.id),
        facts=run_facts(run),
        attention=_attention(run),
        variants=variants,
        grid=_grid(compared, variants, run.id),
        alone=tuple(_alone(history, run.id) for history in histories if history.case.alone),
        runs=tuple(_run_row(summary, current=summary.id == run.id, pages=pages) for summary in runs),
        alerts=open_alerts_words(alerts),
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
            found=_found(result.measurement),
            reason=result.verdict.reason,
        )
        for result, anchor in wanting
    )


def _found(measurement: Measurement | Timing | Unknown) -> str:
    if isinstance(measurement, Unknown):
        return ""
    return show_ns(measurement.median_ns) if isinstance(measurement, Timing) else show_estimate(measurement.speedup)


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
    ratios = [p.speedup if isinstance(p.speedup, Unknown) else p.speedup.ratio for p in _comparable(history)]
    measurement = history.latest.measurement
    speedup = newest.speedup
    return Cell(
        href=links.case_page(history.case.id),
        over=history.case.over,
        badge=badge(newest.outcome),
        speedup="" if isinstance(speedup, Unknown) else show_ratio(speedup.ratio),
        interval="" if isinstance(speedup, Unknown) else show_interval(speedup),
        gap=newest.gap,
        sparkline=sparkline(ratios, newest.floor_ratio),
        share=_share(measurement),
        fidelity=fidelity_facts(measurement) if isinstance(measurement, Measurement) else (),
        stale=_stale(newest, run_id),
    )


def _alone(history: CaseHistory, run_id: str) -> AloneRow:
    newest = history.points[-1]
    median_ns = newest.candidate_median_ns
    return AloneRow(
        href=links.case_page(history.case.id),
        name=history.case.workload,
        group=history.case.group,
        badge=badge(newest.outcome),
        latency="" if isinstance(median_ns, Unknown) else show_ns(median_ns),
        gap=newest.gap,
        sparkline=latency_sparkline([point.candidate_median_ns for point in _comparable(history)]),
        stale=_stale(newest, run_id),
    )


def _share(measurement: Measurement | Timing | Unknown) -> Fact | Unknown:
    if isinstance(measurement, Measurement):
        return share_of_limit(measurement.roofline)
    return TIMED_ALONE if isinstance(measurement, Timing) else measurement


def _comparable(history: CaseHistory) -> Sequence[TrendPoint]:
    """The newest points, as far as they may be compared with the last one."""
    wanted = history.points[-1].comparability_class
    return [point for point in history.points if point.comparability_class == wanted][-SPARK_POINTS:]


def _stale(newest: TrendPoint, run_id: str) -> str:
    return "" if newest.run_id == run_id else show_time(newest.started_at)


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
