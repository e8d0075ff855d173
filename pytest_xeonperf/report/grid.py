"""Every case at a glance: the grid of workloads and variants, and the rows of what is timed alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import TIMED_ALONE, Measurement, Timing, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.environment import changes
from pytest_xeonperf.report.evidence import fidelity_facts, share_of_limit
from pytest_xeonperf.report.figures import Figure, figures
from pytest_xeonperf.report.filters import OTHER_MACHINE, branch_of
from pytest_xeonperf.report.newest import MOST_ELSEWHERE, newest_ones
from pytest_xeonperf.report.slower_cells import Slower, slower_there
from pytest_xeonperf.report.sparkline import Sparkline, latency_sparkline, sparkline
from pytest_xeonperf.report.verdict import Badge, Tone, badge, worst
from pytest_xeonperf.units import show_interval, show_ns, show_ratio, show_time
from pytest_xeonperf.variants.named import NAMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Case, Result
    from pytest_xeonperf.report.environment import Fact
    from pytest_xeonperf.report.filters import Filters
    from pytest_xeonperf.store.summaries import TrendPoint

OF_NEWEST = Unknown(reason="of the newest run alone")
"""Why a cell that stands for another machine or branch lacks what a run has only in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseHistory:
    """All that the page needs to know about one case.

    Attributes:
        points: Its newest ones, oldest first, at least one; those of other machines as far as they are recent.
        latest: Its newest result in full.
    """

    case: Case
    points: tuple[TrendPoint, ...]
    latest: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One case in the grid.

    Attributes:
        badge: Of the newest result alone.
        tone: With the open alerts.
        slower: The worst of these.
        figures: What it can show in the place of its speed-up.
        machine: Where it was measured, if the page has results of several machines; else empty.
        stale: When it was last measured, where that was not in the run that the page is about; else empty.
        elsewhere: Whether it stands for a machine or branch that is not the newest one's: a filter brings it out.
        tokens: Which choices of the page's filters it meets.
    """

    href: str
    over: str
    badge: Badge
    tone: Tone
    slower: tuple[Slower, ...]
    figures: tuple[Figure, ...]
    machine: str
    speedup: str
    interval: str
    gap: str
    sparkline: Sparkline
    share: Fact | Unknown
    fidelity: tuple[Fact, ...]
    stale: str
    elsewhere: bool
    tokens: str


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
    """One case that is timed alone; `slower`, `machine`, `gap` and all from `stale` on as in a `Cell`."""

    href: str
    name: str
    group: str
    badge: Badge
    slower: tuple[Slower, ...]
    machine: str
    latency: str
    gap: str
    sparkline: Sparkline
    stale: str
    elsewhere: bool
    tokens: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What every part of the page is told of the whole.

    Attributes:
        alerts: By the id of a case those that are open, worst first.
        mixed: Whether its results are of several machines.
        elsewhere: Other machines and branches of each case that it has room for.
    """

    run_id: str
    machines: Mapping[str, str]
    filters: Filters
    alerts: Mapping[str, Sequence[Alert]]
    mixed: bool
    elsewhere: int = MOST_ELSEWHERE

    def newest(self, points: Sequence[TrendPoint]) -> Sequence[Sequence[TrendPoint]]:
        """Of a case, the newest point on every machine and branch that it has room for; see `newest_ones`."""
        return newest_ones(points, self.machines, self.filters, most=self.elsewhere)

    def machine(self, comparability_class: str) -> str:
        """How to call a machine."""
        return self.machines.get(comparability_class, OTHER_MACHINE)


def variants_of(cases: Iterable[Case]) -> tuple[str, ...]:
    """Columns of the grid: the ladder of the shipped variants, then the others by name."""
    present = {case.variant for case in cases}
    return (*(name for name in NAMED if name in present), *sorted(present - NAMED.keys()))


def answers(case: Case, point: TrendPoint, machines: Mapping[str, str]) -> Mapping[str, str]:
    """What a case answers to each filter where it was measured; of what is timed alone, a name is no choice."""
    return {
        "machine": machines.get(point.comparability_class, OTHER_MACHINE),
        "branch": branch_of(point.branch),
        "workload": "" if case.alone else case.workload,
        "variant": "" if case.alone else case.variant,
        "preset": "" if case.alone else case.preset,
    }


def grid(histories: Sequence[CaseHistory], variants: Sequence[str], page: Place) -> tuple[GridRow, ...]:
    """The rows of the grid, in the order of their names; `variants` are its columns."""
    rows: dict[tuple[str, str, str], list[CaseHistory]] = {}
    for history in histories:
        case = history.case
        rows.setdefault((case.workload, case.phase, case.preset), []).append(history)
    return tuple(_grid_row(key, rows[key], variants, page) for key in sorted(rows))


def _grid_row(
    key: tuple[str, str, str],
    histories: Sequence[CaseHistory],
    variants: Sequence[str],
    page: Place,
) -> GridRow:
    workload, phase, preset = key
    overs = [history.case.over for history in histories]
    return GridRow(
        workload=workload,
        phase=phase,
        preset=preset,
        over=max(dict.fromkeys(overs), key=overs.count),
        cells=tuple(
            tuple(cell for history in histories if history.case.variant == variant for cell in _cells(history, page))
            for variant in variants
        ),
    )


def _cells(history: CaseHistory, page: Place) -> tuple[Cell, ...]:
    """The cell of the newest point, and those of the newest ones elsewhere."""
    first, *others = page.newest(history.points)
    return (_cell(history, first, page), *(_cell(history, points, page, elsewhere=True) for points in others))


def _cell(history: CaseHistory, points: Sequence[TrendPoint], page: Place, *, elsewhere: bool = False) -> Cell:
    newest = points[-1]
    ratios = [point.speedup if isinstance(point.speedup, Unknown) else point.speedup.ratio for point in points]
    measurement = history.latest.measurement
    speedup = newest.speedup
    own = badge(newest.outcome)
    slower = slower_there(page.alerts.get(history.case.id, ()), newest, page.machines, elsewhere=elsewhere)
    return Cell(
        href=links.case_page(history.case.id),
        over=history.case.over,
        badge=own,
        tone=worst(own.tone, *(each.tone for each in slower)),
        slower=slower,
        figures=figures(newest, OF_NEWEST if elsewhere else measurement),
        machine=_machine(newest, page),
        speedup="" if isinstance(speedup, Unknown) else show_ratio(speedup.ratio),
        interval="" if isinstance(speedup, Unknown) else show_interval(speedup),
        gap=newest.gap,
        sparkline=sparkline(ratios, newest.floor_ratio, borders=_borders(points)),
        share=OF_NEWEST if elsewhere else _share(measurement),
        fidelity=fidelity_facts(measurement) if isinstance(measurement, Measurement) and not elsewhere else (),
        stale=_stale(newest, page.run_id),
        elsewhere=elsewhere,
        tokens=page.filters.tokens(answers(history.case, newest, page.machines)),
    )


def alone_rows(history: CaseHistory, page: Place) -> tuple[AloneRow, ...]:
    """What is timed alone: its newest row, and those of other machines and branches."""
    return tuple(
        _alone_row(history.case, points, page, elsewhere=index > 0)
        for index, points in enumerate(page.newest(history.points))
    )


def _alone_row(case: Case, points: Sequence[TrendPoint], page: Place, *, elsewhere: bool) -> AloneRow:
    newest = points[-1]
    median_ns = newest.candidate_median_ns
    return AloneRow(
        href=links.case_page(case.id),
        name=case.workload,
        group=case.group,
        badge=badge(newest.outcome),
        slower=slower_there(page.alerts.get(case.id, ()), newest, page.machines, elsewhere=elsewhere),
        machine=_machine(newest, page),
        latency="" if isinstance(median_ns, Unknown) else show_ns(median_ns),
        gap=newest.gap,
        sparkline=latency_sparkline([point.candidate_median_ns for point in points], borders=_borders(points)),
        stale=_stale(newest, page.run_id),
        elsewhere=elsewhere,
        tokens=page.filters.tokens(answers(case, newest, page.machines)),
    )


def _share(measurement: Measurement | Timing | Unknown) -> Fact | Unknown:
    if isinstance(measurement, Measurement):
        return share_of_limit(measurement.roofline)
    return TIMED_ALONE if isinstance(measurement, Timing) else measurement


def _borders(points: Sequence[TrendPoint]) -> tuple[int, ...]:
    """The points whose environment is not that of the one before."""
    return tuple(index for index in range(1, len(points)) if changes(points[index - 1].facts, points[index].facts))


def _machine(newest: TrendPoint, page: Place) -> str:
    return page.machine(newest.comparability_class) if page.mixed else ""


def _stale(newest: TrendPoint, run_id: str) -> str:
    return "" if newest.run_id == run_id else show_time(newest.started_at)
