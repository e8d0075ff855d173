"""Where a series changed its level: seeded intervals, robust cumulative sums, noise that may be correlated.

The logarithms of the series are taken to be constant between change points, with noise around them whose neighbours
may be correlated. Every interval of a fixed grid (lengths that grow by about a half, each shifted by half its length),
every interval that ends at the last point, and the whole series are tested: the largest contrast between the mean of
its first k points and that of the rest, divided by the contrast's own standard deviation under correlated noise. Points
are clipped at three standard deviations from the interval's median first, so that a few odd ones in a row are no
change. The narrowest interval beyond the threshold gives a change point, then the next narrowest without one in it, and
so on; then each is moved to where the split between its neighbours is clearest, and left out where it no longer passes.

Scale and correlation come from the steps between neighbours, which a few changes of level do not disturb. The threshold
is calibrated by simulation so that a whole series without a change raises a false alarm with a chance of about `ALPHA`
at most: under independent noise, normal, heavy-tailed (t with 3 degrees) or bimodal, and under first-order
autocorrelation up to 0.6 (`reports/league`; the most was 1.4 %, of 25 points with 0.6). Drift is found as steps. A
level that is left again after a few points is an outlier to it: how many, grows with the correlation and with the
length of the series.

That chance is of one look at a series. Who looks after every point, as alerts do, asks as often as there are points:
of 100 series without a change that grew to 150 of them, 1 to 3 were ever seen to have one under independent noise, 6
and 9 under autocorrelation of 0.3 and 0.6 (the same table).

Sources: Kovacs et al., "Seeded binary segmentation" (Biometrika, 2023); Baranowski et al., "Narrowest-over-threshold"
(JRSS-B, 2019); Page, "Continuous inspection schemes" (Biometrika, 1954).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from pytest_xeonperf.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ALPHA = 0.01
"""Chance of a false alarm in a whole series without a change."""

FEWEST = 3
"""Points on either side of a change: one or two odd ones are outliers."""

_CLIP = 3.0
_MOST_CORRELATED = 0.9
_QUANTILE, _QUANTILE_OF_NORMAL = 0.8, 1.2816
_CLIP_OF_STEPS = 2.5
_MARGIN = 1.0
_LEAST_SIGMA = 1e-6
_MOST_MOVES = 10
_TAIL = 512
"""Points that are looked at again when one is appended."""

_THRESHOLDS = ((12, 3.6), (25, 4.3), (50, 4.6), (100, 4.8), (250, 4.8), (1000, 5.0), (5000, 5.3), (50000, 5.6))
"""Length of the series, and the contrast that one without changes exceeds with the chance `ALPHA`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """Where the level changed.

    Attributes:
        index: Of the first point on the new level.
        before: Median of the level before.
        after: Median of the level from here on.
        strength: Contrast in standard deviations; `threshold` is where belief begins.
    """

    index: int
    before: float
    after: float
    strength: float

    @property
    def ratio(self) -> float:
        """After over before."""
        return self.after / self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What lies around the level.

    Attributes:
        sigma: Standard deviation of the logarithms.
        correlation: Of neighbours.
    """

    sigma: float
    correlation: float


def change_points(values: Sequence[float]) -> tuple[ChangePoint, ...]:
    """Where a series of positive figures (latencies, ratios) changed its level, in order.

    Raises:
        DataError: A figure is not finite or not positive.
    """
    logs = _logs(values)
    if len(logs) < 2 * FEWEST:
        return ()
    noise, least = noise_of(logs), threshold(len(logs))
    found = _narrowest_first(_candidates(logs, noise, least))
    return _described(values, _settled(logs, noise, found, least))


def within_environments(values: Sequence[float], environments: Sequence[str]) -> tuple[ChangePoint, ...]:
    """The same where there is more than one environment: the values of each are a series of its own.

    A level that differs between two of them is put down to the environment, and is no change point; they may alternate.

    Args:
        values: The series.
        environments: What each value was measured in, such as a comparability class with versions of torch and oneDNN.

    Raises:
        DataError: A figure is not finite or not positive.
    """
    places: dict[str, list[int]] = {}
    for index, environment in enumerate(environments):
        places.setdefault(environment, []).append(index)
    found: list[ChangePoint] = []
    for indices in places.values():
        own = change_points([values[index] for index in indices])
        found += [replace(point, index=indices[point.index]) for point in own]
    return tuple(sorted(found, key=lambda point: point.index))


def appended(values: Sequence[float], known: Sequence[ChangePoint]) -> tuple[ChangePoint, ...]:
    """The change points with what the last value brought: only the tail of the series is looked at again.

    For who keeps a long series at hand, where looking at the whole takes too long. Alerts and pages do not use it: they
    have 300 points at most, whose whole takes some 2 ms, and a whole depends on nothing but the points, whereas here
    the tail is judged by its own noise and the rest stays as it was found.

    Args:
        values: The series with its last value.
        known: Its change points before.
    """
    settled = [point for point in known if point.index <= len(values) - _TAIL]
    start = max([point.index for point in settled] + [len(values) - 2 * _TAIL, 0])
    return (*settled, *(replace(point, index=start + point.index) for point in change_points(values[start:])))


def noise_of(logs: Floats) -> Noise:
    """Scale and correlation from the steps between neighbours, of which changes of level are only a few.

    The scale is that of a normal distribution with the same 80 % quantile, which a second mode of a third of the points
    enters and a tenth of outliers does not. The correlation has a part of its standard error added: with too little of
    it, noise that wanders would look like changes.
    """
    steps = np.diff(logs)
    variance = float(np.quantile(np.abs(steps), _QUANTILE) / _QUANTILE_OF_NORMAL) ** 2
    if variance < _LEAST_SIGMA**2:  # hardly any point differs from the one before
        return Noise(sigma=_LEAST_SIGMA, correlation=0.0)
    clipped = np.clip(steps, -_CLIP_OF_STEPS * sqrt(variance), _CLIP_OF_STEPS * sqrt(variance))
    # of first-order autocorrelated noise, neighbouring steps are correlated by (correlation - 1) / 2
    seen = 1 + 2 * float((clipped[1:] * clipped[:-1]).sum() / (clipped * clipped).sum())
    correlation = min(max(seen + _MARGIN / sqrt(len(logs)), 0.0), _MOST_CORRELATED)
    return Noise(sigma=sqrt(variance / (2 * (1 - correlation))), correlation=correlation)


def threshold(length: int) -> float:
    """The contrast that a series of that length without changes exceeds with the chance `ALPHA`."""
    lengths, contrasts = zip(*_THRESHOLDS, strict=True)
    return float(np.interp(log(max(length, 1)), np.log(lengths), contrasts))


def contrasts(block: Floats, noise: Noise) -> Floats:
    """For each interval [i, L] and each split after k points, from `FEWEST` on: the contrast [i, L - 2 FEWEST + 1]."""
    length = block.shape[1]
    ordered = np.sort(block, axis=1)  # which costs a fraction of what np.median does with such small blocks
    medians = (ordered[:, (length - 1) // 2, None] + ordered[:, length // 2, None]) / 2
    clipped = np.minimum(np.maximum((block - medians) / noise.sigma, -_CLIP), _CLIP)  # [i, L]
    sums = np.cumsum(clipped, axis=1)  # [i, L]
    splits = np.arange(FEWEST, length - FEWEST + 1)
    bridge = sums[:, splits - 1] - splits / length * sums[:, -1:]
    strengths: Floats = np.abs(bridge) / _bridge_sigma(length, noise.correlation)
    return strengths


def _bridge_sigma(length: int, correlation: float) -> Floats:
    """Standard deviation [k] of the bridge of first-order autocorrelated noise of variance one, at every split."""
    k = np.arange(FEWEST, length - FEWEST + 1, dtype=np.float64)
    rest = length - k
    if correlation == 0:
        return np.sqrt(k * rest / length)
    decay = correlation / (1 - correlation) ** 2

    def of_sum(count: Floats) -> Floats:
        return count * (1 + correlation) / (1 - correlation) - 2 * decay * (1 - correlation**count)

    across = decay * (1 - correlation**k) * (1 - correlation**rest)
    left, right = rest / length, k / length
    variance = left**2 * of_sum(k) + right**2 * of_sum(rest) - 2 * left * right * across
    return np.sqrt(variance)


def _candidates(logs: Floats, noise: Noise, least: float) -> list[tuple[int, float, int, int]]:
    """Intervals beyond the threshold: (length, minus contrast, start, index of the change)."""
    found = []
    for length in _lengths(len(logs)):
        starts = np.array(sorted({*range(0, len(logs) - length + 1, max(1, length // 2)), len(logs) - length}))
        block = np.lib.stride_tricks.sliding_window_view(logs, length)[starts]  # [i, L]
        strengths = contrasts(block, noise)
        best = strengths.argmax(axis=1)
        peak = strengths[np.arange(len(starts)), best]
        for at in np.flatnonzero(peak > least):
            start = int(starts[at])
            found.append((length, -float(peak[at]), start, start + FEWEST + int(best[at])))
    return found


def _lengths(total: int) -> Iterator[int]:
    """2 FEWEST, then three quarters of the next power of two and that power, up to the whole series."""
    length = 2 * FEWEST
    while length < total:
        yield length
        length = length * 4 // 3 if length % 3 == 0 else length * 3 // 2
    yield total


def _narrowest_first(candidates: list[tuple[int, float, int, int]]) -> list[int]:
    """Change points from the narrowest intervals that hold no other one, in order."""
    taken: list[int] = []
    for length, _strength, start, index in sorted(candidates):
        if not any(start < other < start + length for other in taken):
            taken.append(index)
    return sorted(taken)


def _settled(logs: Floats, noise: Noise, found: list[int], least: float) -> list[tuple[int, float]]:
    """Each change point where the split between its neighbours is clearest; the weakest goes until all pass."""
    points, moves = found, _MOST_MOVES
    splits: dict[tuple[int, int], tuple[int, float]] = {}
    while points:
        edges = [0, *points, len(logs)]
        spans = list(zip(edges, edges[2:], strict=False))
        for span in spans:
            if span not in splits:
                splits[span] = _clearest(logs, noise, *span)
        best = [splits[span] for span in spans]
        weakest = min(range(len(points)), key=lambda at: best[at][1])
        if best[weakest][1] < least:
            points = points[:weakest] + points[weakest + 1 :]
            continue
        clearest = sorted({index for index, _strength in best})
        if clearest == points:
            return best
        if not moves:
            return [(at, _strength_at(logs, noise, at, *span)) for at, span in zip(points, spans, strict=True)]
        points, moves = clearest, moves - 1
    return []


def _clearest(logs: Floats, noise: Noise, start: int, end: int) -> tuple[int, float]:
    """The best split between two edges, and its contrast."""
    if end - start < 2 * FEWEST:
        return start + (end - start) // 2, 0.0
    strengths = contrasts(logs[None, start:end], noise)[0]
    best = int(strengths.argmax())
    return start + FEWEST + best, float(strengths[best])


def _strength_at(logs: Floats, noise: Noise, at: int, start: int, end: int) -> float:
    """The contrast of one split between two edges; nothing where an edge is too near."""
    place = at - start - FEWEST
    strengths = contrasts(logs[None, start:end], noise)[0] if end - start >= 2 * FEWEST else []
    return float(strengths[place]) if 0 <= place < len(strengths) else 0.0


def _described(values: Sequence[float], found: list[tuple[int, float]]) -> tuple[ChangePoint, ...]:
    edges = [0, *(index for index, _strength in found), len(values)]
    levels = [float(np.median(values[start:end])) for start, end in pairwise(edges)]
    return tuple(
        ChangePoint(index=index, before=levels[at], after=levels[at + 1], strength=strength)
        for at, (index, strength) in enumerate(found)
    )


def _logs(values: Sequence[float]) -> Floats:
    bad = next((value for value in values if not (isfinite(value) and value > 0)), None)
    if bad is not None:
        raise DataError(f"{bad!r} is no figure of a series", remedy="a series holds finite, positive figures")
    return np.log(np.asarray(values, dtype=np.float64))
