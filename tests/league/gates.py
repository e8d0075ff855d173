"""Who judges whether head is slower than base: ours, and what others do with the same samples.

Every tool gets the interleaved samples of the same rounds, also those that would measure one side after the other
themselves: what that costs them is not held against them here. Each gives whether it fails the change, and how many
calls of the model it took.
"""

from dataclasses import dataclass
from statistics import mean, stdev

import numpy as np

from pytest_xeonperf.judge.betting import Decision
from pytest_xeonperf.judge.change import ChangeRule, Times
from pytest_xeonperf.judge.verdict import levels

ALPHA = 0.05
MOST_PAIRS = 40


@dataclass(frozen=True)
class Judged:
    failed: bool
    calls: int
    undecided: bool = False


def ours(base, head):
    """Xeonperf gate at a tolerance of 2 %: a look after every round, and red only if fresh rounds say so too."""
    first = _look(base[:MOST_PAIRS], head[:MOST_PAIRS])
    if not first.failed:
        return first
    again = _look(base[MOST_PAIRS:], head[MOST_PAIRS:])
    return Judged(failed=again.failed, calls=first.calls + again.calls, undecided=not again.failed)


def ours_once(base, head):
    """The same without the second look."""
    return _look(base[:MOST_PAIRS], head[:MOST_PAIRS])


def _look(base, head):
    rule = ChangeRule(tolerance=0.02, rates=levels(ALPHA, 1))
    logs = Times(base_ns=tuple(map(int, base)), head_ns=tuple(map(int, head))).logs()
    for pairs in range(6, len(logs) + 1):
        decision = rule.decide(logs[:pairs])
        if decision is not Decision.OPEN:
            return Judged(failed=decision is Decision.BELOW, calls=2 * pairs)
    return Judged(failed=False, calls=2 * len(logs), undecided=True)


def asv(factor):
    """Of `asv continuous`: Mann-Whitney U at p < 0.002 of ten samples a side, and a ratio beyond the factor (1.1)."""
    from asv._stats import is_different
    from asv_runner.statistics import compute_stats

    def judge(base, head, samples=10):
        a, b = list(map(float, base[:samples])), list(map(float, head[:samples]))
        value_a, stats_a = compute_stats(a, 1)
        value_b, stats_b = compute_stats(b, 1)
        different = is_different(a, b, stats_a, stats_b)
        return Judged(failed=bool(different and value_b / value_a > factor), calls=2 * samples)

    return judge


def benchmatrix(pairs, threshold_percent):
    """benchmatrix, paired: the whole BCa interval of the medians' ratio beyond the threshold (default 5 %).

    A call stands for a run, of which it asks for five at least; 1,000 resamples in place of its 50,000, for time.
    """
    from benchmatrix.bench_statistics import bootstrap_paired_median_ratio_interval

    def judge(base, head):
        found = bootstrap_paired_median_ratio_interval(
            [float(value) for value in base[:pairs]],
            [float(value) for value in head[:pairs]],
            lower_is_better=True,
            confidence_level=1 - ALPHA,
            resamples=1000,
            random_seed=0,
        )
        high = found.high
        return Judged(failed=high is not None and high < -threshold_percent, calls=2 * pairs)

    return judge


def pytest_benchmark(percent):
    """pytest-benchmark --benchmark-compare-fail=mean:5%, of its five rounds at least."""
    from pytest_benchmark.utils import PercentageRegressionCheck

    def judge(base, head, rounds=5):
        check = PercentageRegressionCheck("mean", percent)
        failed = check.fails({"mean": mean(map(float, head[:rounds]))}, {"mean": mean(map(float, base[:rounds]))})
        return Judged(failed=bool(failed), calls=2 * rounds)

    return judge


def bencher(base, head, history=30):
    """Bencher's t-test as documented: one new value beyond the 99 % prediction limit of thirty older ones."""
    from scipy.stats import t

    older = [float(value) for value in base[:history]]
    limit = mean(older) + t.ppf(0.99, history - 1) * stdev(older) * (1 + 1 / history) ** 0.5
    return Judged(failed=float(head[history]) > limit, calls=1)


def conbench(base, head, history=15, repetitions=5):
    """Conbench's lookback z-score as documented: five standard deviations, of the best of a few repetitions."""
    blocks = np.asarray(base[: history * repetitions], dtype=float).reshape(history, repetitions).min(axis=1)
    new = float(min(head[history * repetitions : (history + 1) * repetitions]))
    return Judged(failed=(new - blocks.mean()) / blocks.std(ddof=1) > 5, calls=repetitions)


def perfherder(base, head, values=12):
    """Perfherder's rule as documented: a weighted t of twelve values on either side beyond 7, and 2 % at least."""
    before, after = (np.asarray(side[:values], dtype=float) for side in (base, head))
    weights = np.arange(values, 0, -1) / values
    return Judged(
        failed=_weighted_t(before[::-1], after, weights) > 7 and after.mean() / before.mean() > 1.02, calls=2 * values
    )


def _weighted_t(before, after, weights):
    def moments(values):
        average = np.average(values, weights=weights)
        variance = np.average((values - average) ** 2, weights=weights) * len(values) / (len(values) - 1)
        return average, variance

    (left, left_variance), (right, right_variance) = moments(before), moments(after)
    spread = ((left_variance + right_variance) / len(before)) ** 0.5
    return abs(right - left) / spread if spread else 0.0


def rustc_perf(base, head, history=30):
    """rustc-perf's rule as documented: a change beyond Q3 + 3 IQR of the changes between thirty neighbours."""
    changes = np.abs(np.diff(np.asarray(base[: history + 1], dtype=float)) / base[:history])
    low, high = np.percentile(changes, [25, 75])
    new = head[history] / base[history - 1] - 1
    return Judged(failed=new > high + 3 * (high - low), calls=1)


def all_gates():
    """Every gate by its name."""
    return {
        "xeonperf gate": ours,
        "xeonperf gate, unconfirmed": ours_once,
        "asv, factor 1.1": asv(1.1),
        "asv, factor 1.02": asv(1.02),
        "benchmatrix, 5 pairs, 5 %": benchmatrix(5, 5.0),
        "benchmatrix, 10 pairs, 0 %": benchmatrix(10, 0.0),
        "pytest-benchmark, mean:5%": pytest_benchmark(5.0),
        "Bencher's t-test (its documentation)": bencher,
        "Conbench's z = 5 (its documentation)": conbench,
        "Perfherder's t > 7 (its documentation)": perfherder,
        "rustc-perf's Q3 + 3 IQR (its documentation)": rustc_perf,
    }


def interval_gates():
    """Intervals of the ratio base to head: ours at its stopping time, benchmatrix's of all pairs."""
    from benchmatrix.bench_statistics import bootstrap_paired_median_ratio_interval

    from pytest_xeonperf.judge.betting import estimate

    def own(base, head):
        rule = ChangeRule(tolerance=0.02, rates=levels(ALPHA, 1))
        logs = Times(base_ns=tuple(map(int, base)), head_ns=tuple(map(int, head))).logs()
        stop = next((at for at in range(6, len(logs)) if rule.decide(logs[:at]) is not Decision.OPEN), len(logs))
        found = estimate(logs[:stop], alpha=ALPHA)
        return found.low_ratio, found.high_ratio

    def theirs(base, head):
        found = bootstrap_paired_median_ratio_interval(
            [float(value) for value in base],
            [float(value) for value in head],
            lower_is_better=True,
            confidence_level=1 - ALPHA,
            resamples=1000,
            random_seed=0,
        )
        low, high = found.low, found.high
        if low is None or high is None:
            return 0.0, float("inf")
        # percent faster, (1 - head / base) * 100, as a ratio of base to head
        return 1 / (1 - low / 100), 1 / (1 - high / 100)

    return {"xeonperf, at its stopping time": own, "benchmatrix": theirs}
