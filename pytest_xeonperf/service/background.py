"""What the pages of all cases have in common, read once for each state of the history: half of what one page costs."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from pytest_xeonperf.report.gather import Gathered
from pytest_xeonperf.report.moments import Moments

if TYPE_CHECKING:
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import Extent


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """How far the history reaches, its runs, and what else pages of cases say that is not of one case.

    Attributes:
        run_ids: Of every run that has a result; each has a page.
    """

    extent: Extent
    moments: Moments
    gathered: Gathered
    run_ids: frozenset[str]

    @classmethod
    def of(cls, store: Store) -> Background:
        """Read now."""
        extent, marks = store.extent(), store.marks()
        return cls(
            extent=extent,
            moments=Moments(marks),
            gathered=Gathered.of(store),
            run_ids=frozenset(mark.run_id for mark in marks),
        )


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
                self._newest = {state: Background.of(store)}
            return self._newest[state]
