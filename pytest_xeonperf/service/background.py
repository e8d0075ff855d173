"""What the pages of all cases have in common, read once for each state of the history: half of what one page costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from pytest_xeonperf.report.gather import Gathered
from pytest_xeonperf.report.moments import Moments

if TYPE_CHECKING:
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import Extent


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far into a history something goes.

    Attributes:
        line: Shared by those after which runs and results were only added at the end.
        newest_id: Of the newest result.
    """

    line: object
    newest_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """How far the history reaches, its runs, and what else pages of cases say that is not of one case.

    Attributes:
        run_ids: Of every run that has a result; each has a page.
        line: Of its reach.
    """

    extent: Extent
    moments: Moments
    gathered: Gathered
    run_ids: frozenset[str]
    line: object

    @classmethod
    def of(cls, store: Store) -> Background:
        """Read now."""
        extent, marks = store.extent(), store.marks()
        return cls(
            extent=extent,
            moments=Moments(marks),
            gathered=Gathered.of(store),
            run_ids=frozenset(mark.run_id for mark in marks),
            line=object(),
        )

    @property
    def reach(self) -> Reach:
        """How far pages go that are made of it."""
        return Reach(line=self.line, newest_id=self.extent.newest_id)

    def after(self, earlier: Background, store: Store) -> Background:
        """The same, in line with an earlier one if it goes on from there."""
        known = earlier.moments.marks
        begins_alike = self.moments.marks[: len(known)] == known
        if begins_alike and store.earlier_extent(self.extent, earlier.extent.newest_id) == earlier.extent:
            return replace(self, line=earlier.line)
        return self


class Backgrounds:
    """The newest background; threads may share it."""

    def __init__(self) -> None:
        self._newest: dict[str, Background] = {}
        self._reading = Lock()

    def newest(self, store: Store) -> Background:
        """As the history is now; read only if it says something new. It may be newer than its state, never older."""
        with self._reading:
            state = store.state()
            if state not in self._newest:
                made = Background.of(store)
                for earlier in self._newest.values():
                    made = made.after(earlier, store)
                self._newest = {state: made}
            return self._newest[state]
