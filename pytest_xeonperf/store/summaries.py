"""What the store tells about many runs at once: one line a run, one point a run of one case.

Importing this module imports no SQLAlchemy, so that view models can name these types for free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Estimate, Isa, Limits, Machine, Outcome, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One run in a list of runs.

    Attributes:
        facts: The machine's, to show what changed between two runs of one comparability class.
        sha: Of the commit measured, or why nobody knows.
        outcomes: How often each verdict was given, in the order of `Outcome`; those that were never given are left out.
    """

    id: str
    state: RunState
    started_at: str
    finished_at: str | Unknown
    comparability_class: str
    cpu_model: str
    isa: Isa
    facts: tuple[tuple[str, str], ...]
    sha: str | Unknown
    branch: str | Unknown
    outcomes: tuple[tuple[Outcome, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMark:
    """What the points of all cases in one run share; the fields are those of `TrendPoint`."""

    run_id: str
    started_at: str
    sha: str | Unknown
    branch: str | Unknown
    subject: str | Unknown
    author: str | Unknown
    comparability_class: str
    fingerprint: str
    facts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSummary:
    """What a history knows of a commit by itself."""

    committed_at: str
    subject: str
    author: str | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How far a history reaches: as long as nobody deletes by hand, two of the same extent hold the same results."""

    results: int
    newest_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One case in one run: a point of its series, or a gap with its reason.

    Attributes:
        speedup: Unknown where the case was not measured in this run, or is timed alone.
        baseline_median_ns: For one item, as is `candidate_median_ns`.
        candidate_median_ns: Unknown only where nothing was measured.
        reason: Of the verdict.
        comparability_class: Points of one class may be compared; a new class begins a new series.
        facts: The machine's, to show what changed between two points.
    """

    run_id: str
    started_at: str
    measured_at: str
    sha: str | Unknown
    branch: str | Unknown
    subject: str | Unknown
    author: str | Unknown
    speedup: Estimate | Unknown
    baseline_median_ns: int | Unknown
    candidate_median_ns: int | Unknown
    outcome: Outcome
    reason: str
    floor_ratio: float | Unknown
    comparability_class: str
    fingerprint: str
    facts: tuple[tuple[str, str], ...]

    @property
    def gap(self) -> str:
        """Why nothing was measured; empty where something was."""
        return self.candidate_median_ns.reason if isinstance(self.candidate_median_ns, Unknown) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineSummary:
    """One fingerprint: a machine as it was in one or more runs.

    Attributes:
        machine: As its newest run found it.
        runs: How many runs there are.
        first_at: When the first of them started, UTC ISO-8601.
        last_at: When the newest of them started.
        newest_run: Its id.
        limits: Of those of its newest runs that measured them, newest first.
    """

    machine: Machine
    runs: int
    first_at: str
    last_at: str
    newest_run: str
    limits: tuple[Limits, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """A page of the list of runs.

    Attributes:
        runs: Newest first.
        older: Where the next page begins; empty after the last one.
    """

    runs: tuple[RunSummary, ...]
    older: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPage:
    """A page of the points of a case.

    Attributes:
        points: Oldest first.
        older: Where the page before these begins; empty where there are none.
    """

    points: tuple[TrendPoint, ...]
    older: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """A page of the list of alerts.

    Attributes:
        alerts: Newest first.
        older: Where the next page begins; empty after the last one.
    """

    alerts: tuple[Alert, ...]
    older: str
