"""What the first page and those of cases have in common, read once for each state of the history."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from pytest_xeonperf.report.gather import Gathered
from pytest_xeonperf.report.moments import Moments
from pytest_xeonperf.report.takeover import Runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import Extent


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far into a history something goes.

    Attributes:
        line: Shared by those between which runs and results were only added.
        newest_id: Of the newest result.
    """

    line: object
    newest_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """How far the history reaches, its runs, and what else pages of cases say that is not of one case.

    Attributes:
        run_ids: Of every run that has a result; each has a page.
        since: Of each run, the newest result's number when it was first seen in this line.
        line: Of its reach.
    """

    extent: Extent
    moments: Moments
    gathered: Gathered
    run_ids: frozenset[str]
    since: NDArray[np.int64]
    line: object

    @classmethod
    def of(cls, store: Store) -> Background:
        """Read now."""
        extent = store.extent()
        marks = store.marks(until=extent.newest_id)
        return cls(
            extent=extent,
            moments=Moments(marks),
            gathered=Gathered.of(store),
            run_ids=frozenset(mark.run_id for mark in marks),
            since=np.full(len(marks), extent.newest_id, dtype=np.int64),
            line=object(),
        )

    @property
    def reach(self) -> Reach:
        """How far pages go that are made of it."""
        return Reach(line=self.line, newest_id=self.extent.newest_id)

    def runs(self, earlier: Reach) -> Runs:
        """The runs, and which of them a page knew that goes as far as this; it is in line."""
        known = np.flatnonzero(self.since <= earlier.newest_id).astype(np.uint32)
        return Runs(marks=self.moments.marks, known=known)

    def after(self, earlier: Background, store: Store) -> Background:
        """The same, in line with an earlier one if only runs and results were added since."""
        marks = self.moments.marks
        known = dict(zip((mark.run_id for mark in earlier.moments.marks), earlier.since.tolist(), strict=True))
        still = tuple(mark for mark in marks if mark.run_id in known)
        if still != earlier.moments.marks or not self._holds(earlier.extent, store):
            return self
        newest_id = self.extent.newest_id
        since = np.array([known.get(mark.run_id, newest_id) for mark in marks], dtype=np.int64)
        return replace(self, since=since, line=earlier.line)

    def _holds(self, extent: Extent, store: Store) -> bool:
        """Whether the results that there were are there still."""
        return store.earlier_extent(self.extent, extent.newest_id) == extent


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
