"""How the speed-up of a case moved between two runs of the history, and how surely.

Runs are of different days: their latencies differ by what else the machine did, so the verdict is on the speed-up, in
which the machine cancels, and latencies only say which side moved. What cancels less (memory layout, frequencies, who
else was there) differs from session to session, which the interval of a single session knows nothing of. Therefore:

- with `FEWEST_SESSIONS` earlier ones, their own spread decides, or that of a run's own pairs where it is larger: a
  speed-up is lower if it fell by more than two such sessions differ by at the chosen error rate, one-sided and normal;
- with fewer, the two intervals decide, each at half the error rate (Bonferroni): they must lie apart. What sessions
  differ by beyond them is then not controlled.

Either way it must also be beyond the tolerance, and both runs have six pairs at least. By simulation (20,000 series of
8 to 50 sessions) false alarms of the first are at most as stated where sessions differ normally, also with first-order
autocorrelation up to 0.6, at error rates of 5, 1 and 0.135 %. They are not where sessions have two modes of which the
slower one is rare: 2 to 6 % at any of these rates, if one in three to ten is slow; heavy tails (t with 3 degrees) keep
to 5 %, not to 0.135 %. A red case is a reason to measure the two commits side by side, with ``xeonperf gate``.

A speed-up that rose since its baseline became slower is a gain that nobody has, and may hide a loss: where it rose for
sure, and both moved beyond the tolerance, the case is undecided. Where both sides became slower alike, the speed-up
stands, and nobody can tell the commit from the day.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, hypot, log, sqrt
from statistics import NormalDist, stdev
from typing import TYPE_CHECKING

import numpy as np

from pytest_xeonperf.judge.betting import FEWEST_PAIRS
from pytest_xeonperf.judge.change import Moved
from pytest_xeonperf.judge.changepoint import noise_of
from pytest_xeonperf.judge.processes import estimate, logs_by_process, ratio_of
from pytest_xeonperf.records import UNBOUNDED_RATIO, Estimate, Outcome, Unknown
from pytest_xeonperf.units import show_change, show_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.verdict import Levels
    from pytest_xeonperf.records import Measurement

TOLERANCE_OF_SESSIONS = 0.05
"""Loss of speed-up between two sessions that nobody minds, unless somebody says another."""

FEWEST_SESSIONS = 8
"""Earlier ones of a case on one class of machine, for their spread to be known."""

_OF_MEDIAN = 1.2533
"""Standard error of a median, in those of a mean, of normal noise."""
_SAFETY = 1.15
"""On the spread, which is itself an estimate: from the simulation above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How one case moved from one run to another; each ratio is above 1 where the later one is better.

    Attributes:
        speedup: The later speed-up over the earlier one, with the interval that decides.
        candidate_ratio: Earlier over later latency of the variant.
        baseline_ratio: The same of its baseline.
        spread: Standard deviation of the logarithm of the speed-up from session to session.
        drifted: Whether the speed-up rose, for sure and beyond the tolerance, as the baseline became that much slower:
            a gain that nobody has.
    """

    speedup: Estimate
    candidate_ratio: float
    baseline_ratio: float
    moved: Moved
    spread: float | Unknown
    drifted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRule:
    """When a speed-up counts as lower.

    Attributes:
        tolerance: Loss that nobody minds: 0.05 is 5 % more time at an unchanged baseline.
        rates: Of errors, for each case and over all.
    """

    tolerance: float
    rates: Levels

    def shift_of(self, earlier: Measurement, later: Measurement, sessions: Sequence[float]) -> Shift:
        """What two runs say of a case.

        Args:
            earlier: As measured in the run that is compared with.
            later: As measured in the run that is judged.
            sessions: Speed-ups of all runs before the later one, on the same class of machine, oldest first.
        """
        groups = [logs_by_process(each.samples) for each in (earlier, later)]
        ratio, spread = ratio_of(groups[1]) / ratio_of(groups[0]), session_spread(sessions)
        candidate_ratio = earlier.candidate_median_ns / max(later.candidate_median_ns, 1)
        baseline_ratio = earlier.baseline_median_ns / max(later.baseline_median_ns, 1)
        if isinstance(spread, Unknown) or min(sum(map(len, logs)) for logs in groups) < FEWEST_PAIRS:
            low_ratio, high_ratio = _apart(*(estimate(logs, alpha=self.rates.red_alpha / 2) for logs in groups))
        else:
            low_ratio, high_ratio = self._around(ratio, [max(spread, _own_error(logs)) for logs in groups])
        return Shift(
            speedup=Estimate(
                ratio=ratio, low_ratio=low_ratio, high_ratio=high_ratio, confidence=1 - self.rates.red_alpha
            ),
            candidate_ratio=candidate_ratio,
            baseline_ratio=baseline_ratio,
            moved=_moved(candidate_ratio, baseline_ratio, self.tolerance),
            spread=spread,
            drifted=low_ratio > 1 and min(ratio, 1 / baseline_ratio) > 1 + self.tolerance,
        )

    def judge(self, shift: Shift) -> tuple[Outcome, str]:
        """The verdict on one case and its reason, for people."""
        line_ratio = 1 / (1 + self.tolerance)
        sides = "" if shift.moved is Moved.NEITHER else f"; {shift.moved.value}"
        changed = f"the speed-up changed by {show_change(shift.speedup.ratio)}"
        if shift.speedup.high_ratio < 1 and shift.speedup.ratio < line_ratio:
            return Outcome.REGRESSION, f"{changed}{sides}"
        if shift.drifted:
            slower = show_change(1 / shift.baseline_ratio)
            return Outcome.INCONCLUSIVE, f"the baseline drifted: it takes {slower} time, and so {changed}"
        if shift.speedup.low_ratio > line_ratio:
            return Outcome.PASS, sides.removeprefix("; ")
        if isinstance(shift.spread, Unknown):
            return Outcome.INCONCLUSIVE, f"{changed}, which these two runs alone cannot tell from noise"
        return Outcome.INCONCLUSIVE, f"{changed}; sessions differ by {show_share(sqrt(2) * shift.spread)} anyway"

    def _around(self, ratio: float, errors: Sequence[float]) -> tuple[float, float]:
        """Low and high of the change, each at the error rate of what it decides."""
        of_two = _SAFETY * hypot(*errors)
        down, up = (NormalDist().inv_cdf(1 - rate) * of_two for rate in (self.rates.pass_alpha, self.rates.red_alpha))
        return ratio * exp(-down), min(ratio * exp(up), UNBOUNDED_RATIO)


def _apart(before: Estimate, after: Estimate) -> tuple[float, float]:
    """Low and high of a quotient from those of its parts."""
    low_ratio = after.low_ratio / before.high_ratio if before.high_ratio < UNBOUNDED_RATIO else 0.0
    high_ratio = after.high_ratio / before.low_ratio if before.low_ratio > 0 else UNBOUNDED_RATIO
    return low_ratio, min(high_ratio, UNBOUNDED_RATIO)


def _own_error(groups: Sequence[Sequence[float]]) -> float:
    """Standard error of the median of a run's pairs, which is larger than the spread of sessions in a bad one."""
    logs = [value for group in groups for value in group]
    return _OF_MEDIAN * stdev(logs) / sqrt(len(logs))


def session_spread(sessions: Sequence[float]) -> float | Unknown:
    """Standard deviation of the logarithm of speed-ups from session to session, changes of level left out."""
    if len(sessions) < FEWEST_SESSIONS:
        return Unknown(reason=f"{len(sessions)} earlier sessions; {FEWEST_SESSIONS} show how much they differ")
    return noise_of(np.log(np.asarray(sessions, dtype=np.float64))).sigma


def _moved(candidate_ratio: float, baseline_ratio: float, tolerance: float) -> Moved:
    candidate, baseline = (abs(log(ratio)) > log(1 + tolerance) for ratio in (candidate_ratio, baseline_ratio))
    return Moved.of(candidate=candidate, baseline=baseline)
