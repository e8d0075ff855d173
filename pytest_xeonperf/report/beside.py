"""The pages on disk that compare two runs: that of the report with the one before, and those around alerts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.shift import TOLERANCE_OF_SESSIONS
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.choice import ToCompare, on_disk
from pytest_xeonperf.report.manifest import digest
from pytest_xeonperf.report.page_two_runs import history_page
from pytest_xeonperf.report.wanted import Wanted
from pytest_xeonperf.store.comparing import compared

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pytest_xeonperf.records import Acceptance, Run
    from pytest_xeonperf.report.page_compare import ComparePage
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import RunMark

_ALPHA = 0.05
_OF_ANOTHER = Unknown(reason="On disk only the run that the report is about is compared with the one before")
_CAME_MEANWHILE = Unknown(reason="The run before came while this report was written: the next one has it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Comparisons in a folder of pages.

    Attributes:
        head: The run of the report.
        base_id: Of the one before; why there is none.
        marks: By id, every run with a result and its place in their order.
        earliest: Place of the first run that has got results since the pages in the folder were made: comparisons of
            later ones know more earlier sessions now.
        versions: Of the runs that have a page, and of that before.
        runs: Ids of the runs that have a page.
        cases: Ids of the cases that have one.
    """

    store: Store
    head: Run
    base_id: str | Unknown
    marks: Mapping[str, tuple[int, RunMark]]
    earliest: int
    versions: Mapping[str, str]
    runs: Collection[str]
    cases: Collection[str]

    def link(self, run_id: str) -> ToCompare:
        """What the page of a run, or of the report, says of comparisons."""
        if run_id != self.head.id:
            return on_disk(run_id, _OF_ANOTHER)
        if isinstance(self.base_id, Unknown):
            return on_disk(run_id, self.base_id)
        return on_disk(run_id, self.name(self.base_id, run_id) or _CAME_MEANWHILE)

    def name(self, base_id: str, head_id: str) -> str:
        """Of the page that compares two runs; empty where one of them has no page itself."""
        if not {base_id, head_id} <= self.marks.keys():  # it came while this report was begun
            return ""
        if (base_id, head_id) == (self.base_id, self.head.id):
            return links.COMPARE
        return links.comparison_page(base_id, head_id) if {base_id, head_id} <= set(self.runs) else ""

    def own(self) -> tuple[Wanted, ...]:
        """The page of the run of the report; none where there is no run before."""
        base_id = self.base_id
        if isinstance(base_id, Unknown) or not self.name(base_id, self.head.id):
            return ()
        return (self.wanted(base_id, self.head.id),)

    def wanted(self, base_id: str, head_id: str) -> Wanted:
        """The page that compares two runs."""
        linked = sorted({base_id, head_id}.intersection(self.runs))
        accepted = self._accepted(base_id, head_id)
        versions = [self.versions.get(each, "") for each in (base_id, head_id)]
        return Wanted(
            name=self.name(base_id, head_id),
            inputs=digest(base_id, head_id, versions, linked, accepted),
            make=partial(self._page, base_id, head_id),
            again=self.earliest < self.marks[head_id][0],
        )

    def _accepted(self, base_id: str, head_id: str) -> list[Acceptance]:
        """What was accepted in runs between the two."""
        head, first = self.marks[head_id][1], self.marks[base_id][0]
        words = self.store.acceptances(head.comparability_class, until=head.started_at)
        return [each for each in words if each.run_id in self.marks and self.marks[each.run_id][0] > first]

    def _page(self, base_id: str, head_id: str) -> ComparePage:
        base = self.store.run(base_id)
        head = self.head if head_id == self.head.id else self.store.run(head_id)
        line = Unknown(reason="pages are made without a repository")
        found = compared(self.store, base, head, line=line, tolerance=TOLERANCE_OF_SESSIONS, alpha=_ALPHA)
        return history_page(found, runs=self.runs, cases=self.cases)
