"""Who judges whether head is slower than base: ours, and what others do with the same samples.

Every tool gets the interleaved samples of the same rounds, also those that would measure one side after the other
themselves: what that costs them is not held against them here. A tool is asked at a setting, its own or one that brings
its false failures to a common rate, and gives whether it fails the change and how many calls of the model it took.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from statistics import mean, stdev

import numpy as np
from noise import rounds

from pytest_xeonperf.judge.betting import FEWEST_PAIRS, Decision
from pytest_xeonperf.judge.change import Times
from pytest_xeonperf.judge.looks import looks

ALPHA = 0.05
MOST_PAIRS = 40
TOLERANCES = (0.0, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02)
"""Of a slow-down that nobody minds, to choose from."""


@dataclass(frozen=True)
class Judged:
    failed: bool
    calls: int
    undecided: bool = False


@dataclass(frozen=True)
class Draw:
    """Comparisons that are always the same: so many of a noise from a seed, head slower by so much."""

    model: str
    seed: int
    repetitions: int
    slowdown: float = 0.0

    def samples(self):
        rng = np.random.default_rng(self.seed)
        return [rounds(self.model, rng, 2 * MOST_PAIRS, self.slowdown) for _ in range(self.repetitions)]


@dataclass(frozen=True)
class Gate:
    """Xeonperf gate, whose setting is its tolerance.

    Attributes:
        cases: That share alpha with the one that is judged.
    """

    cases: int = 1
    confirmed: bool = True
    known: dict = field(default_factory=dict, compare=False)

    def judge(self, draw, tolerance):
        if (draw, tolerance) not in self.known:
            both = looks(ALPHA, self.cases, tolerance=tolerance, fewest_pairs=FEWEST_PAIRS)
            self.known[draw, tolerance] = [self._judge(base, head, both) for base, head in draw.samples()]
        return self.known[draw, tolerance]

    def _judge(self, base, head, both):
        first = self._look(both[0], base[:MOST_PAIRS], head[:MOST_PAIRS])
        if not (first.failed and self.confirmed):
            return first
        again = self._look(both[1], base[MOST_PAIRS:], head[MOST_PAIRS:])
        return Judged(failed=again.failed, calls=first.calls + again.calls, undecided=not again.failed)

    def _look(self, rule, base, head):
        decision, pairs = looked(rule, logs_of(base, head))
        return Judged(failed=decision is Decision.BELOW, calls=2 * pairs, undecided=decision is Decision.OPEN)

    def set_to(self, draw, rate):
        """The smallest tolerance at which no more than this fails."""
        failed = (np.mean([each.failed for each in self.judge(draw, tolerance)]) for tolerance in TOLERANCES)
        return next(tolerance for tolerance, share in zip(TOLERANCES, failed, strict=True) if share <= rate)


def logs_of(base, head):
    return Times(base_ns=tuple(map(int, base)), head_ns=tuple(map(int, head))).logs()


def looked(rule, logs):
    """What a rule says that looks after every pair, and after how many."""
    for pairs in range(min(rule.flags_from, rule.passes_from), len(logs) + 1):
        decision = rule.decide(logs[:pairs])
        if decision is not Decision.OPEN:
            return decision, pairs
    return Decision.OPEN, len(logs)


@dataclass(frozen=True)
class Scored:
    """A tool that fails what scores beyond its setting.

    Attributes:
        score: Of the samples of base and head; the more, the slower.
        calls: Of the model.
    """

    score: Callable
    calls: int
    known: dict = field(default_factory=dict, compare=False)

    def judge(self, draw, setting):
        return [Judged(failed=bool(score > setting), calls=self.calls) for score in self.scores(draw)]

    def scores(self, draw):
        """Of each comparison; asked for at more than one setting, they are found once."""
        if draw not in self.known:
            self.known[draw] = [self.score(base, head) for base, head in draw.samples()]
        return self.known[draw]

    def set_to(self, draw, rate):
        """The setting that no more than this is beyond."""
        scores = sorted(self.scores(draw), reverse=True)
        return float(scores[int(rate * len(scores))])


def asv(most_p):
    """Of `asv continuous`: the ratio of ten samples a side, where Mann-Whitney U has p below 0.002 or as given."""
    from asv._stats import is_different
    from asv_runner.statistics import compute_stats

    def score(base, head, samples=10):
        a, b = list(map(float, base[:samples])), list(map(float, head[:samples]))
        value_a, stats_a = compute_stats(a, 1)
        value_b, stats_b = compute_stats(b, 1)
        different = is_different(a, b, stats_a, stats_b, most_p)
        return value_b / value_a if different else 0.0

    return Scored(score, 20)


def benchmatrix(pairs):
    """benchmatrix, paired: what the whole BCa interval at 95 % of the medians' ratio is beyond, in percent slower.

    A call stands for a run, of which it asks for five at least; 1,000 resamples in place of its 50,000, for time.
    """

    def score(base, head):
        _low, high = benchmatrix_interval(base[:pairs], head[:pairs])
        return -np.inf if high is None else -high

    return Scored(score, 2 * pairs)


def benchmatrix_interval(base, head):
    """In percent faster; nothing where it has none."""
    from benchmatrix.bench_statistics import bootstrap_paired_median_ratio_interval

    found = bootstrap_paired_median_ratio_interval(
        [float(value) for value in base],
        [float(value) for value in head],
        lower_is_better=True,
        confidence_level=1 - ALPHA,
        resamples=1000,
        random_seed=0,
    )
    return found.low, found.high


def pytest_benchmark(rounds_of=5):
    """pytest-benchmark --benchmark-compare-fail=mean:5%, of its five rounds at least: percent slower."""
    from pytest_benchmark.utils import PercentageRegressionCheck

    def score(base, head):
        check = PercentageRegressionCheck("mean", 0.0)
        newer, older = (mean(map(float, side[:rounds_of])) for side in (head, base))
        return check.compute({"mean": newer}, {"mean": older})

    return Scored(score, 2 * rounds_of)


def bencher(base, head, history=30):
    """Bencher's t-test as documented: how far one new value is beyond thirty older ones, as a quantile of t."""
    from scipy.stats import t

    older = [float(value) for value in base[:history]]
    beyond = (float(head[history]) - mean(older)) / (stdev(older) * (1 + 1 / history) ** 0.5)
    return float(t.cdf(beyond, history - 1))


def conbench(base, head, history=15, repetitions=5):
    """Conbench's lookback z-score as documented: standard deviations, of the best of a few repetitions."""
    blocks = np.asarray(base[: history * repetitions], dtype=float).reshape(history, repetitions).min(axis=1)
    new = float(min(head[history * repetitions : (history + 1) * repetitions]))
    return (new - blocks.mean()) / blocks.std(ddof=1)


def perfherder(least_change):
    """Perfherder's rule as documented: a weighted t of twelve values on either side, and 2 % at least."""

    def score(base, head, values=12):
        before, after = (np.asarray(side[:values], dtype=float) for side in (base, head))
        weights = np.arange(values, 0, -1) / values
        slower = after.mean() / before.mean() > 1 + least_change
        return _weighted_t(before[::-1], after, weights) if slower else 0.0

    return Scored(score, 24)


def _weighted_t(before, after, weights):
    def moments(values):
        average = np.average(values, weights=weights)
        variance = np.average((values - average) ** 2, weights=weights) * len(values) / (len(values) - 1)
        return average, variance

    (left, left_variance), (right, right_variance) = moments(before), moments(after)
    spread = ((left_variance + right_variance) / len(before)) ** 0.5
    return abs(right - left) / spread if spread else 0.0


def rustc_perf(base, head, history=30):
    """rustc-perf's rule as documented: IQR beyond Q3 of the changes between thirty neighbours; 3 are too many."""
    changes = np.abs(np.diff(np.asarray(base[: history + 1], dtype=float)) / base[:history])
    low, high = np.percentile(changes, [25, 75])
    new = head[history] / base[history - 1] - 1
    return (new - high) / (high - low)


@cache
def tools():
    """Every tool by its name, what it is set to as it comes, and what that is called at a common rate.

    For the latter asv asks for p < 0.05 and Perfherder for no least change: what remains to be set is one figure.
    """
    return {
        "xeonperf gate": (Gate(), {"": 0.02}, "tolerance"),
        "xeonperf gate, one of 40 cases": (Gate(cases=40), {"": 0.02}, ""),
        "xeonperf gate, first look alone": (Gate(confirmed=False), {"": 0.02}, ""),
        "asv": (asv(0.002), {", factor 1.1": 1.1, ", factor 1.02": 1.02}, ""),
        "asv, p < 0.05": (asv(0.05), {}, "factor"),
        "benchmatrix, 5 pairs": (benchmatrix(5), {", 5 %": 5.0, ", 0 %": 0.0}, "percent"),
        "benchmatrix, 6 pairs": (benchmatrix(6), {", 0 %": 0.0}, "percent"),
        "pytest-benchmark": (pytest_benchmark(), {", mean:5%": 5.0}, "percent"),
        "Bencher's t-test (its documentation)": (Scored(bencher, 1), {"": 0.99}, "quantile"),
        "Conbench's z = 5 (its documentation)": (Scored(conbench, 5), {"": 5.0}, "z"),
        "Perfherder's t > 7 (its documentation)": (perfherder(0.02), {"": 7.0}, ""),
        "Perfherder's t (its documentation), any change": (perfherder(0.0), {}, "t"),
        "rustc-perf's Q3 + 3 IQR (its documentation)": (Scored(rustc_perf, 1), {"": 3.0}, "IQR"),
    }


def interval_gates():
    """Intervals of the ratio base to head of so many pairs at most, and how many looks take as many.

    Ours is the one that the gate shows: of the first look, or of both where it has flagged.
    """
    from pytest_xeonperf.judge.betting import estimate

    def own(base, head, pairs):
        first, second = looks(ALPHA, 1, tolerance=0.02, fewest_pairs=FEWEST_PAIRS)
        logs = logs_of(base, head)
        decision, stop = looked(first, logs[:pairs])
        seen = logs[:stop]
        if decision is Decision.BELOW:
            _second, again = looked(second, logs[pairs:])
            seen += logs[pairs : pairs + again]
        found = estimate(seen, alpha=ALPHA)
        return found.low_ratio, found.high_ratio

    def theirs(base, head, pairs):
        low, high = benchmatrix_interval(base[:pairs], head[:pairs])
        if low is None or high is None:
            return 0.0, float("inf")
        # percent faster, (1 - head / base) * 100, as a ratio of base to head
        return 1 / (1 - low / 100), 1 / (1 - high / 100)

    return {"xeonperf, at its stopping time": (own, 2), "benchmatrix": (theirs, 1)}
