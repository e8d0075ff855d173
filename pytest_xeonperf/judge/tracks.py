"""The points of a series by environment, with where their level changed and how surely each place is known."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import ceil, exp, log
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from pytest_xeonperf.judge.changepoint import FEWEST, Noise, noise_of, within_environments

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_xeonperf.alerts import SeriesPoint
    from pytest_xeonperf.judge.changepoint import ChangePoint

_OF_ERROR = 19.767
"""99 % quantile of the error of a change's place, in points of one sigma a step; see `judge.alerts`."""
_NEAREST = 2 * FEWEST
_BACK = 0.25
_SMALLEST = 1e-6

LEAST_SLOWDOWN = 0.02
"""Of the latency: what `xeonperf gate` does not mind either, unless it is told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change point among the points of its environment.

    Attributes:
        place: Of the first point on the new level.
        point: That point.
        left_ns: The level after it; of a rise of which later falls took most back, but not all, where those led.
    """

    place: int
    point: SeriesPoint
    before_ns: float
    after_ns: float
    left_ns: float

    @property
    def size(self) -> float:
        """Logarithm of after over before: positive is slower."""
        return log(self.after_ns / self.before_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The points of one environment, oldest first, and where their level changed.

    Attributes:
        noise: Around the levels; none where nothing changed.
    """

    points: tuple[SeriesPoint, ...]
    steps: tuple[Step, ...]
    noise: Noise

    def near(self, size: float) -> int:
        """By how many points the place of a step may be wrong, from its size as a logarithm."""
        return _error(self.noise, size)

    def place(self, time: str) -> int:
        """Where a run that started then stands, or would stand."""
        return bisect_left(self.points, time, key=lambda point: point.started_at)

    def back_since(self, place: int, before_ns: float, after_ns: float) -> str:
        """The first run after a place by which a rise was taken back; empty where none was."""
        line_ns = self.line_ns(before_ns, after_ns)
        found = (step for step in self.steps if step.place > place and step.size < 0 and step.after_ns <= line_ns)
        return next((step.point.run_id for step in found), "")

    def line_ns(self, before_ns: float, after_ns: float) -> float:
        """What the latency has to come down to after a rise to be back.

        No more than a quarter of the rise may be left (of the logarithm), and nothing that would be a slow-down of its
        own, unless one measurement scatters as far.
        """
        left = min(_BACK * log(after_ns / before_ns), max(log(1 + LEAST_SLOWDOWN), self.noise.sigma))
        return before_ns * exp(left)

    def level_ns(self, place: int) -> float:
        """The level that a point is on."""
        if not self.steps:
            return median(point.median_ns for point in self.points)
        before = [step.after_ns for step in self.steps if step.place <= place]
        return before[-1] if before else self.steps[0].before_ns

    def quiet_since(self, place: int, before_ns: float, after_ns: float) -> str:
        """The first run after a place where the latency was back, though no level changed: a blip; empty if it is not.

        Its level and the newest points have to say so, of which there must be as many as may be a place's error.
        """
        line_ns = self.line_ns(before_ns, after_ns)
        newest = [point.median_ns for point in self.points[place:]][-_NEAREST:]
        levels = (self.level_ns(place), self.level_ns(len(self.points)))
        if len(newest) < _NEAREST or max(*levels, median(newest)) > line_ns:
            return ""
        return next(point.run_id for point in self.points[place:] if point.median_ns <= line_ns)

    def accepts(self, step: Step, run_ids: Collection[str]) -> bool:
        """Whether one of these runs stands behind a step; where it is near, its own latency has to agree.

        A run shortly before the place may be on the new level already. One shortly after it may be between two steps
        that stand so close together that they were found as one: then it accepts the first alone.
        """
        near, middle = self.near(step.size), log(step.before_ns) + step.size / 2
        for place, point in enumerate(self.points):
            if point.run_id not in run_ids or place < step.place - near:
                continue
            doubt = 2 * self.noise.sigma if place >= step.place else 0.0
            if place > step.place + near or log(point.median_ns) > middle - doubt:
                return True
        return False


def tracks_of(points: Sequence[SeriesPoint]) -> tuple[Track, ...]:
    """The tracks of a series whose points are given in any order."""
    ordered = sorted(points, key=lambda point: (point.started_at, point.run_id, point.median_ns))
    changes = within_environments([each.median_ns for each in ordered], [each.fingerprint for each in ordered])
    tracks = []
    for fingerprint in dict.fromkeys(each.fingerprint for each in ordered):
        indices = [index for index, each in enumerate(ordered) if each.fingerprint == fingerprint]
        places = {index: place for place, index in enumerate(indices)}
        own = tuple(ordered[index] for index in indices)
        inside = [change for change in changes if change.index in places]
        noise = _noise(own) if inside else Noise(sigma=0.0, correlation=0.0)
        steps = tuple(
            Step(
                place=places[change.index],
                point=ordered[change.index],
                before_ns=change.before,
                after_ns=change.after,
                left_ns=_left(change, inside),
            )
            for change in inside
        )
        tracks.append(Track(points=own, steps=steps, noise=noise))
    return tuple(tracks)


def _left(rise: ChangePoint, changes: Sequence[ChangePoint]) -> float:
    """The lowest level after a rise to which later falls led that took three quarters of it back; else its own."""
    most = rise.before * max(rise.ratio, 1.0) ** _BACK
    return min((each.after for each in changes if each.index > rise.index and each.after <= most), default=rise.after)


def _noise(points: Sequence[SeriesPoint]) -> Noise:
    return noise_of(np.log(np.asarray([point.median_ns for point in points], dtype=np.float64)))


def _error(noise: Noise, size: float) -> int:
    scatter = noise.sigma**2 * (1 + noise.correlation) / (1 - noise.correlation)
    return max(_NEAREST, ceil(_OF_ERROR * scatter / max(abs(size), _SMALLEST) ** 2))
