"""The trend of a case on one class of machine, as columns: a page is made from them, and they are read from a page.

Points are added in the order of time. What is said of a point is made when it is added and depends only on it and on
those before, so that a trend that was read from a page and goes on is the one that was made from nothing. Only the
changes of level look back: those of an environment are found anew when it gets a point.
"""

from __future__ import annotations

from array import array
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report.columns import Figures, Words, pack_integers, unpack_integers
from pytest_xeonperf.report.environment import changes
from pytest_xeonperf.report.levels import level_changes
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.units import show_change, show_estimate, show_ns, show_ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pytest_xeonperf.store.summaries import RunMark, TrendPoint

WORDS = (
    "outcome",
    "speedup",
    "low",
    "high",
    "baseline",
    "candidate",
    "floor",
    "no_floor",
    "change",
    "no_change",
    "gap",
    "changes",
    "fingerprint",
)
"""Columns of words: of the speed-up and the two ends of its interval, of latencies, and what else a table says."""

FIGURES = ("baseline_ns", "candidate_ns", "ratio", "low_ratio", "high_ratio", "floor_ratio")
"""Columns of figures, for charts and changes of level."""

_LONGEST = 240
"""Characters of a reason: those of crashes differ, there may be thousands, and the page of the run has all of each."""

SEPARATOR = "\n"
"""Between several changes of the environment."""


class Trend:
    """Columns of one value a point, oldest first.

    Attributes:
        places: Of the runs among the marks.
        levels: By index, how the level of the latency changed there.
        newest: Outcome of the newest point, what was found, and the reason of its verdict.
    """

    __slots__ = ("_facts", "_last", "_moved_on", "figures", "levels", "newest", "places", "words")

    def __init__(self) -> None:
        self.places = array("I")
        self.words = {name: Words() for name in WORDS}
        self.figures = {name: Figures() for name in FIGURES}
        self.levels: dict[int, str] = {}
        self.newest = ("", "", "")
        self._facts: tuple[tuple[str, str], ...] = ()
        self._last = -1  # of the points that were measured
        self._moved_on: set[str] = set()

    def __len__(self) -> int:
        return len(self.places)

    def add(self, placed: Iterable[tuple[int, TrendPoint]], *, alone: bool) -> None:
        """More points with the places of their runs, oldest first, none earlier than the last."""
        compared = "candidate_ns" if alone else "ratio"
        before = self.figures[compared].values[self._last] if self._last >= 0 else nan
        told: list[dict[str, str]] = []
        figures: list[tuple[float, ...]] = []
        point = None
        for place, point in placed:
            said, values = self._told(point), _figures(point)
            value = values[1] if alone else values[2]
            said |= _compared(before, value, first=self._last < 0)
            told.append(said)
            figures.append(values)
            self.places.append(place)
            self._facts = point.facts
            if "gap" not in said:
                self._last, before = len(self.places) - 1, value
                self._moved_on.add(point.fingerprint)
        if point is None:
            return
        for name, words in self.words.items():
            words.add([said.get(name, "") for said in told])
        for column, values_of_column in zip(self.figures.values(), zip(*figures, strict=True), strict=True):
            column.add(values_of_column)
        self.newest = (point.outcome.value, _found(point, alone=alone), legible(point.reason))

    def _told(self, point: TrendPoint) -> dict[str, str]:
        """The words of a point that are not empty, but for its change."""
        told = {"outcome": point.outcome.value, "fingerprint": point.fingerprint}
        speedup, floor_ratio = point.speedup, point.floor_ratio
        baseline_ns, candidate_ns = point.baseline_median_ns, point.candidate_median_ns
        if not isinstance(speedup, Unknown):
            told["speedup"], told["low"], told["high"] = show_estimate(speedup).split(" ")
        if not isinstance(baseline_ns, Unknown):
            told["baseline"] = show_ns(baseline_ns)
        if isinstance(candidate_ns, Unknown):
            told["gap"] = _short(candidate_ns.reason)
        else:
            told["candidate"] = show_ns(candidate_ns)
        if isinstance(floor_ratio, Unknown):
            told["no_floor"] = _short(floor_ratio.reason)
        else:
            told["floor"] = show_ratio(floor_ratio)
        if self.places and point.facts is not self._facts and point.facts != self._facts:
            new = [f"{each.name}: {each.before} → {each.after}" for each in changes(self._facts, point.facts)]
            told["changes"] = SEPARATOR.join(legible(each.replace("\n", " ")) for each in new)
        return told

    def measured_before(self, index: int) -> int:
        """The index of the measurement before a point, across gaps; -1 if there is none."""
        values = self.figures["candidate_ns"].values
        return next((at for at in range(index - 1, -1, -1) if values[at] == values[at]), -1)

    def outcomes(self) -> dict[Outcome, int]:
        """How often each verdict was given."""
        column = self.words["outcome"]
        numbers = np.bincount(np.frombuffer(column.places, dtype=np.uint16), minlength=len(column.words))
        return {Outcome(word): int(number) for word, number in zip(column.words, numbers, strict=True)}

    def settle(self) -> None:
        """Find the changes of level in the environments that got points."""
        column = self.words["fingerprint"]
        of_point = np.frombuffer(column.places, dtype=np.uint16)
        latencies_ns = self.figures["candidate_ns"].array()
        for fingerprint in sorted(self._moved_on):
            own = of_point == column.words.index(fingerprint)
            for index in [at for at in self.levels if own[at]]:
                del self.levels[index]
            measured = np.flatnonzero(own & (latencies_ns > 0))
            # what other tests measured in the same run are copies, and would pass for an unusually quiet level
            measured = measured[np.flatnonzero(np.diff(np.array(self.places, dtype=np.int64)[measured], prepend=-1))]
            found = level_changes([float(value) for value in latencies_ns[measured]])
            self.levels |= {int(measured[at]): text for at, text in found.items()}
        self.levels = dict(sorted(self.levels.items()))
        self._moved_on = set()

    def packed(self) -> dict[str, Any]:
        """Ready for JSON; settled before."""
        return {
            "count": len(self.places),
            "places": pack_integers(self.places),
            "words": {name: column.packed() for name, column in self.words.items()},
            "figures": {name: column.packed() for name, column in self.figures.items()},
            "levels": {str(index): text for index, text in self.levels.items()},
            "newest": list(self.newest),
        }

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any], marks: Sequence[RunMark], known: NDArray[np.uint32]) -> Trend:
        """The trend again, ready to go on.

        Args:
            packed: What `packed` gave.
            marks: The runs that there are now.
            known: Places of those that there were then.

        Raises:
            ValueError: It is none.
        """
        trend, length = cls(), int(packed["count"])
        places = np.frombuffer(unpack_integers(packed["places"], length), dtype=np.uint32)
        if not length or int(places.max()) >= len(known):
            raise ValueError("a trend of runs that are not there")
        trend.places = array("I", known[places].tobytes())
        trend.words = {name: Words.unpacked(packed["words"][name], length) for name in WORDS}
        trend.figures = {name: Figures.unpacked(packed["figures"][name], length) for name in FIGURES}
        trend.levels = {int(index): text for index, text in packed["levels"].items()}
        outcome, found, reason = packed["newest"]
        trend.newest = (outcome, found, reason)
        trend._facts = marks[trend.places[-1]].facts
        trend._last = trend.measured_before(length)
        return trend


def _short(reason: str) -> str:
    return legible(reason if len(reason) <= _LONGEST else f"{reason[: _LONGEST - 1]}…")


def _figures(point: TrendPoint) -> tuple[float, ...]:
    """In the order of `FIGURES`."""
    speedup, floor_ratio = point.speedup, point.floor_ratio
    baseline_ns, candidate_ns = point.baseline_median_ns, point.candidate_median_ns
    return (
        nan if isinstance(baseline_ns, Unknown) else baseline_ns,
        nan if isinstance(candidate_ns, Unknown) else candidate_ns,
        *((nan, nan, nan) if isinstance(speedup, Unknown) else (speedup.ratio, speedup.low_ratio, speedup.high_ratio)),
        nan if isinstance(floor_ratio, Unknown) else floor_ratio,
    )


def _compared(before: float, value: float, *, first: bool) -> dict[str, str]:
    """With the measurement before, across gaps: how the speed-up changed, or the latency of what is timed alone."""
    if first:
        return {"no_change": "first measurement"}
    if value == value and before > 0:  # noqa: PLR0124 - not NaN
        return {"change": show_change(value / before)}
    return {"no_change": "nothing to compare"}


def _found(point: TrendPoint, *, alone: bool) -> str:
    if alone:
        return "" if isinstance(point.candidate_median_ns, Unknown) else show_ns(point.candidate_median_ns)
    return "" if isinstance(point.speedup, Unknown) else show_estimate(point.speedup)
