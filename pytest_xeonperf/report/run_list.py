"""The table of runs on the first page, with what changed about their machines from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.environment import Change, changes
from pytest_xeonperf.report.filters import branch_of
from pytest_xeonperf.report.verdict import Badge, Count, counts, ended, overall
from pytest_xeonperf.units import show_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.report.filters import Filters
    from pytest_xeonperf.store.summaries import RunSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One line in the table of runs; `href` is empty where the run has no page.

    Attributes:
        environment: What of the machine is not as it was in the run before on the same class of machines.
        tokens: Which choices of the page's filters it meets.
    """

    href: str
    date: str
    state: str
    badge: Badge
    counts: tuple[Count, ...]
    sha: str | Unknown
    branch: str | Unknown
    machine: str
    current: bool
    environment: tuple[Change, ...]
    tokens: str


def run_rows(
    runs: Sequence[RunSummary],
    *,
    current: str,
    pages: Collection[str],
    machines: Mapping[str, str],
    filters: Filters,
) -> tuple[RunRow, ...]:
    """The table, newest first as the runs are.

    Args:
        runs: Newest first.
        current: Id of the run that the page is about.
        pages: Ids of the runs that have a page to link to.
        machines: How to call a comparability class.
        filters: Of the page.
    """
    rows = []
    facts: dict[str, tuple[tuple[str, str], ...]] = {}
    for run in reversed(runs):
        machine = machines[run.comparability_class]
        rows.append(
            _row(
                run,
                changes(facts.get(run.comparability_class, run.facts), run.facts),
                current=run.id == current,
                pages=pages,
                machine=machine,
                tokens=filters.tokens({"machine": machine, "branch": branch_of(run.branch)}),
            )
        )
        facts[run.comparability_class] = run.facts
    return tuple(reversed(rows))


def _row(
    run: RunSummary,
    environment: tuple[Change, ...],
    *,
    current: bool,
    pages: Collection[str],
    machine: str,
    tokens: str,
) -> RunRow:
    outcomes = [outcome for outcome, number in run.outcomes for _ in range(number)]
    return RunRow(
        href=links.run_page(run.id) if run.id in pages else "",
        date=show_time(run.started_at),
        state=run.state,
        badge=ended(overall(outcomes), run.state),
        counts=counts(outcomes),
        sha=run.sha if isinstance(run.sha, Unknown) else run.sha[:10],
        branch=run.branch,
        machine=machine,
        current=current,
        environment=environment,
        tokens=tokens,
    )
