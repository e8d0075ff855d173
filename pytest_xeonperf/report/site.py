"""The static pages: a folder that opens from disk. The only part of the report that writes.

A manifest beside the pages says what they were made of. What has not changed is left as it is, a case that got points
goes on from its page, and whatever is in doubt is made from nothing; see `.github/decisions/0019-report-at-scale.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from zlib import crc32

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.report import links, manifest
from pytest_xeonperf.report.beside import Beside
from pytest_xeonperf.report.drafts import drafted
from pytest_xeonperf.report.gather import Gathered
from pytest_xeonperf.report.manifest import Manifest, Written, digest, maker
from pytest_xeonperf.report.moments import Moments
from pytest_xeonperf.report.newest import SPARK_POINTS
from pytest_xeonperf.report.overviews import overviews
from pytest_xeonperf.report.page_alerts import open_alerts_words
from pytest_xeonperf.report.page_case import page_of
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.page_run import run_page
from pytest_xeonperf.report.parallel import shared
from pytest_xeonperf.report.render import encoded
from pytest_xeonperf.report.slower import open_ones
from pytest_xeonperf.report.takeover import Runs, gone_on
from pytest_xeonperf.report.trends import read_trends

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pytest_xeonperf.records import Case, Run
    from pytest_xeonperf.report.case_series import Kept
    from pytest_xeonperf.report.page_case import CasePage
    from pytest_xeonperf.report.page_index import IndexPage
    from pytest_xeonperf.report.render import Page
    from pytest_xeonperf.report.trend import Trend
    from pytest_xeonperf.report.wanted import Wanted
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.series import Numbered
    from pytest_xeonperf.store.summaries import Extent, RunMark

RUN_PAGES = 50
"""Newest runs that get a page of their own; the run that the report is about always has one."""


def write_site(store: Store, directory: Path, *, run_id: str, processes: int = 1) -> Path:
    """Write every page about a run and its history that is not there yet, and give the path of the first one.

    Pages are replaced one by one and never seen half written; pages of runs that are no more among the newest are
    removed. A new folder is hidden from git.

    Args:
        store: The history.
        directory: Where the pages go; made if it is not there.
        run_id: The run that the verdict on the first page is about.
        processes: That render; more than one only where this process has no threads of its own.

    Raises:
        UsageError: There is no such run.
        InfrastructureError: The folder cannot be written.
    """
    run = store.run(run_id)
    try:
        _make(directory)
        _Site.of(store, directory, run).write(processes)
    except OSError as error:
        raise InfrastructureError(
            f"the report cannot be written: {error.strerror}",
            where=str(directory),
            remedy="give another folder with -o, or make room and permission in this one",
        ) from error
    return directory / links.INDEX


@dataclass(slots=True, kw_only=True)
class _Site:
    """One report under way.

    Attributes:
        old: What is in the folder; without pages to go on from, if it is of another history or other code.
        runs: Those that have a result, and which of them the pages in the folder know.
        fresh: By case, the points that these pages do not have.
        shown: Ids of the runs that have a page.
        regained: Whether one of them had none when it was on the pages of cases already: they link it now.
    """

    store: Store
    directory: Path
    run: Run
    cases: Sequence[Case]
    extent: Extent
    runs: Runs
    moments: Moments
    gathered: Gathered
    old: Manifest
    leftover: Sequence[str]
    fresh: Mapping[str, Sequence[Numbered]]
    shown: frozenset[str]
    regained: bool
    versions: Mapping[str, str]
    beside: Beside

    @classmethod
    def of(cls, store: Store, directory: Path, run: Run) -> _Site:
        """Everything that is read before the first page; what is added meanwhile is left to the next report."""
        cases, extent = store.cases(), store.extent()
        marks = store.marks(until=extent.newest_id)
        gathered = Gathered.of(store)
        gathered.runs[run.id] = run
        shown = frozenset([run.id, *(summary.id for summary in gathered.summaries[:RUN_PAGES])])
        found = Manifest.read(directory)
        runs = Runs.of(marks, new=store.new_runs(after=found.newest_id) if found.made_by else ())
        old = found if _goes_on(found, store, extent, runs.before) else Manifest()
        fresh = store.numbered_points(marks, after=old.newest_id, until=extent.newest_id) if old.made_by else {}
        before = store.earlier(run)
        versions = store.run_versions([*shown, str(before), *(summary.id for summary in gathered.summaries)])
        return cls(
            store=store,
            directory=directory,
            run=run,
            cases=cases,
            extent=extent,
            runs=runs,
            moments=Moments(marks),
            gathered=gathered,
            old=old,
            leftover=tuple(found.pages),
            fresh=fresh,
            shown=shown,
            regained=any(links.run_page(mark.run_id) not in old.pages for mark in runs.before if mark.run_id in shown),
            versions=versions,
            beside=Beside(
                store=store,
                head=run,
                base_id=before,
                marks={mark.run_id: (place, mark) for place, mark in enumerate(marks)},
                earliest=min((numbered.place for points in fresh.values() for numbered in points), default=len(marks)),
                versions=versions,
                runs=shown,
                cases=frozenset(case.id for case in cases),
            ),
        )

    def write(self, processes: int) -> None:
        """Every page, the first one last: what it links to is there when it is."""
        with drafted(self.directory / links.INDEX) as index:
            others = overviews(self.gathered.alerts, self.beside)
            jobs = [
                partial(self._index, index),
                *(partial(self._wanted, each) for each in (*self.beside.own(), *others)),
                *(partial(self._run, run_id) for run_id in sorted(self.shown, reverse=True)),
                *(partial(self._case, case) for case in self.cases),
            ]
            pages = dict(shared(jobs, processes=processes, in_child=self.store.forked))
        for name in set(self.leftover) - set(pages):
            (self.directory / name).unlink(missing_ok=True)
        written = Manifest(
            made_by=maker(),
            runs_digest=_digest_of(self.runs.marks),
            results=self.extent.results,
            newest_id=self.extent.newest_id,
            pages=pages,
        )
        with drafted(self.directory / manifest.NAME) as draft:
            draft.write_bytes(written.dumps().encode())

    @property
    def _stands(self) -> bool:
        """Whether nothing that all cases say of runs has changed: their places, and which of them have a page."""
        return not self.regained and not self.runs.moved

    def _wanted(self, page: Wanted) -> tuple[str, Written]:
        """A page of something else, its name and how it stands in the folder now."""
        return self._made(page.name, page.inputs, page.make, again=page.again)

    def _run(self, run_id: str) -> tuple[str, Written]:
        name, compare = links.run_page(run_id), self.beside.link(run_id)
        inputs = digest(self.versions.get(run_id, ""), compare)
        return self._made(name, inputs, lambda: run_page(self.gathered.run(run_id), compare=compare))

    def _case(self, case: Case) -> tuple[str, Written]:
        alerts = self.gathered.alerts_of(case)
        name, inputs = links.case_page(case.id), digest(case, sorted(self.gathered.machines.items()), alerts)
        before = self.old.pages.get(name)
        fresh = self.fresh.get(case.id, ())
        if before and not fresh and self._stands and self.shown.issuperset(before.linked):
            kept = self._unchanged(name, inputs)
            if kept:
                return name, kept[0]
        trends, rows = self._taken_over(case, before, fresh)
        page = page_of(
            case,
            trends,
            moments=self.moments,
            machines=self.gathered.machines,
            pages=self.shown,
            alerts=alerts,
            kept=rows,
        )
        return name, self._put(name, encoded(page), inputs, linked=_linked(page, trends, self.runs.marks))

    def _taken_over(
        self, case: Case, before: Written | None, fresh: Sequence[Numbered]
    ) -> tuple[Mapping[str, Trend], Mapping[str, Kept]]:
        """The trends of a case with its fresh points, out of its page if they can go on there, else from nothing."""
        if before:
            found = gone_on(case, before.read(self.directory / links.case_page(case.id)), self.runs, fresh)
            if found:
                return found
        return read_trends(self.store, case, self.runs.marks, until=self.extent.newest_id), {}

    def _index(self, draft: Path) -> tuple[str, Written]:
        """The first page, beside its place."""
        inputs = digest(
            self.run.id,
            self.extent,
            sorted(self.shown),
            sorted(self.versions.items()),
            open_ones(self.gathered.alerts),
            open_alerts_words(self.gathered.alerts),
            self.beside.base_id,
        )
        kept = self._unchanged(links.INDEX, inputs)
        return links.INDEX, kept[0] if kept else _write(draft, encoded(self._index_page()), inputs)

    def _index_page(self) -> IndexPage:
        recent = self.store.recent(self.runs.marks, most=SPARK_POINTS, until=self.extent.newest_id)
        histories = [
            history for case in self.cases for history in self.gathered.histories(case, recent.get(case.id, ()))
        ]
        gathered = self.gathered
        return index_page(
            self.run,
            gathered.summaries,
            histories,
            pages=self.shown,
            alerts=gathered.alerts,
            compare=self.beside.link(self.run.id),
        )

    def _made(self, name: str, inputs: str, make: Callable[[], Page], *, again: bool = False) -> tuple[str, Written]:
        """A page by its name, made only if it is not there as it would be, or `again` in any case."""
        kept = () if again else self._unchanged(name, inputs)
        return name, kept[0] if kept else self._put(name, encoded(make()), inputs)

    def _unchanged(self, name: str, inputs: str) -> tuple[Written, ...]:
        """The page in the folder, if it is what would be written."""
        before = self.old.pages.get(name)
        return (before,) if before and before.inputs == inputs and before.is_at(self.directory / name) else ()

    def _put(self, name: str, content: bytes, inputs: str, *, linked: tuple[str, ...] = ()) -> Written:
        with drafted(self.directory / name) as draft:
            return _write(draft, content, inputs, linked=linked)


def _linked(page: CasePage, trends: Mapping[str, Trend], marks: Sequence[RunMark]) -> tuple[str, ...]:
    """Ids of the runs that the page of a case links to."""
    linked = (
        marks[trends[series.comparability_class].places[index]].run_id
        for series in page.series
        for index in series.chart.hrefs
    )
    return tuple(sorted(set(linked)))


def _goes_on(found: Manifest, store: Store, extent: Extent, marks: Sequence[RunMark]) -> bool:
    """Whether the pages are of this code, and of this history as it was; `marks` are those that they know."""
    if found.made_by != maker() or found.runs_digest != _digest_of(marks):
        return False
    known = store.earlier_extent(extent, found.newest_id)
    return (known.results, known.newest_id) == (found.results, found.newest_id)


def _digest_of(marks: Sequence[RunMark]) -> str:
    """Of the runs in their order; the fingerprint of a machine stands for its facts."""
    return digest(
        [
            (mark.run_id, mark.started_at, mark.sha, mark.branch, mark.subject, mark.author, mark.fingerprint)
            for mark in marks
        ]
    )


def _make(directory: Path) -> None:
    if directory.exists():
        return
    directory.mkdir(parents=True)
    (directory / ".gitignore").write_text("# Made by pytest-xeonperf: rendered again whenever it is wanted.\n*\n")


def _write(draft: Path, content: bytes, inputs: str, *, linked: tuple[str, ...] = ()) -> Written:
    draft.write_bytes(content)
    return Written(
        inputs=inputs,
        linked=linked,
        size_bytes=len(content),
        changed_ns=draft.stat().st_mtime_ns,
        checksum=crc32(content),
    )
