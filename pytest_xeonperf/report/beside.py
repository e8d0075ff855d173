"""The page on disk that compares the run of the report with the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.shift import TOLERANCE_OF_SESSIONS
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.choice import ToCompare, on_disk
from pytest_xeonperf.report.manifest import digest
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.store.comparing import compared

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.records import Acceptance, Run
    from pytest_xeonperf.report.page_compare import ComparePage
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import Extent, RunMark

_ALPHA = 0.05
_OF_ANOTHER = Unknown(reason="On disk only the run that the report is about is compared with the one before")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """The run of a report and the one before it.

    Attributes:
        base_id: Of the one before; why there is none.
        accepted: What was accepted between the two.
    """

    head: Run
    base_id: str | Unknown
    accepted: tuple[Acceptance, ...]

    @classmethod
    def of(cls, store: Store, head: Run, marks: Sequence[RunMark]) -> Beside:
        """What there is to compare a run with, in a history of these runs."""
        base_id = store.earlier(head)
        places = {mark.run_id: place for place, mark in enumerate(marks)}
        if isinstance(base_id, Unknown) or base_id not in places:
            return cls(head=head, base_id=base_id, accepted=())
        words = store.acceptances(head.machine.comparability_class, until=head.started_at)
        between = tuple(each for each in words if places.get(each.run_id, -1) > places[base_id])
        return cls(head=head, base_id=base_id, accepted=between)

    def link(self, run_id: str) -> ToCompare:
        """What the page of a run, or of the report, says of comparisons."""
        if run_id != self.head.id:
            return on_disk(run_id, _OF_ANOTHER)
        return on_disk(run_id, self.base_id if isinstance(self.base_id, Unknown) else links.COMPARE)

    def inputs(self, *, versions: Mapping[str, str], extent: Extent, runs: Collection[str]) -> str:
        """Digest of what the page is made from.

        Args:
            versions: Of its runs.
            extent: Of the history: every earlier session counts.
            runs: Ids of the runs that have a page.
        """
        both = (self.head.id, str(self.base_id))
        return digest([(each, versions.get(each), each in runs) for each in both], self.accepted, extent)

    def page(self, store: Store, *, runs: Collection[str], cases: Collection[str]) -> ComparePage:
        """The page; there is one only where there is a run before.

        Args:
            store: The history.
            runs: Ids of the runs that have a page.
            cases: Ids of the cases that have one.
        """
        base = store.run(str(self.base_id))
        line = Unknown(reason="pages are made without a repository")
        found = compared(store, base, self.head, line=line, tolerance=TOLERANCE_OF_SESSIONS, alpha=_ALPHA)
        return history_page(found, runs=runs, cases=cases)
