"""What pages need of the history, read once: for a folder of pages, and for one that is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import OPEN_STATES, AlertState
from pytest_xeonperf.report.grid import CaseHistory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Case, Result, Run
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import RunSummary, TrendPoint

RUNS_LISTED = 100
"""Runs in the table of the first page."""

DECIDED_LISTED = 200
"""Newest alerts that were decided, in the list beside those that are open."""


@dataclass(slots=True)
class Gathered:
    """A history as pages see it.

    Attributes:
        summaries: The newest runs, newest first.
        runs: Those that were read whole, by id.
        alerts: Open ones, and the newest of those that were decided.
    """

    store: Store
    summaries: Sequence[RunSummary]
    runs: dict[str, Run] = field(default_factory=dict)
    alerts: Sequence[Alert] = ()
    _latest: dict[str, tuple[Run, dict[Case, Result]]] = field(default_factory=dict)

    @classmethod
    def of(cls, store: Store) -> Gathered:
        """The newest runs; everything else is read when it is asked for."""
        decided = [state for state in AlertState if not state.open]
        alerts = (*store.alerts(OPEN_STATES), *store.alerts(decided, limit=DECIDED_LISTED))
        return cls(store, store.runs(limit=RUNS_LISTED), alerts=alerts)

    @property
    def machines(self) -> Mapping[str, str]:
        """How to call the machines of a comparability class."""
        return {summary.comparability_class: f"{summary.cpu_model}, {summary.isa}" for summary in self.summaries}

    def run(self, run_id: str) -> Run:
        """A run, read once.

        Raises:
            UsageError: There is none of that id.
        """
        if run_id not in self.runs:
            self.runs[run_id] = self.store.run(run_id)
        return self.runs[run_id]

    def alerts_of(self, case: Case) -> tuple[Alert, ...]:
        """Those of one case."""
        return tuple(alert for alert in self.alerts if alert.case.id == case.id)

    def histories(self, case: Case, points: Sequence[TrendPoint]) -> tuple[CaseHistory, ...]:
        """A case for the first page: one history, or none where it has no result."""
        if not points:
            return ()
        newest = points[-1].run_id
        latest = self._results(newest)
        if case not in latest:  # another session has added it since that run was read
            self.runs[newest] = self.store.run(newest)
            latest = self._results(newest)
        return (CaseHistory(case=case, points=tuple(points), latest=latest[case]),) if case in latest else ()

    def _results(self, run_id: str) -> dict[Case, Result]:
        """By case, its last result in a run."""
        run = self.run(run_id)
        read, found = self._latest.get(run_id, (run, {}))
        if read is not run or not found:
            found = {result.case: result for result in run.results}
            self._latest[run_id] = (run, found)
        return found
