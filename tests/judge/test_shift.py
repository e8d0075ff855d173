"""Whether a speed-up fell between two sessions, and how often that is said of none that did."""

import random
from dataclasses import replace

import pytest

from pytest_xeonperf.judge.change import Moved
from pytest_xeonperf.judge.shift import FEWEST_SESSIONS, ShiftRule
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.records import UNBOUNDED_RATIO, Outcome, Unknown

RULE = ShiftRule(tolerance=0.05, rates=levels(0.05, 1))


def sessions(spread, count=12, around=3.0, seed=1):
    """Speed-ups of earlier sessions."""
    chance = random.Random(seed)
    return [around * chance.lognormvariate(0, spread) for _ in range(count)]


def wide(centre, count=12):
    """Pairs around a ratio, half of them 10 % off on either side."""
    return [centre * (0.9, 1.1)[index % 2] for index in range(count)]


@pytest.mark.parametrize(
    ("head", "spread", "outcome"),
    [
        (3.0, 0.01, Outcome.PASS),
        (2.95, 0.01, Outcome.PASS),
        (2.7, 0.01, Outcome.REGRESSION),
        (3.6, 0.01, Outcome.PASS),
        (2.7, 0.08, Outcome.INCONCLUSIVE),
        (3.0, 0.08, Outcome.INCONCLUSIVE),
        (2.0, 0.08, Outcome.REGRESSION),
    ],
)
def test_the_spread_of_earlier_sessions_decides(measured, head, spread, outcome):
    shift = RULE.shift_of(measured(*[3.0] * 12), measured(*[head] * 12), sessions(spread))
    found, reason = RULE.judge(shift)
    assert found is outcome
    assert ("sessions differ by" in reason) is (outcome is Outcome.INCONCLUSIVE)


def test_without_a_history_the_intervals_must_lie_apart(measured):
    few = sessions(0.01, count=FEWEST_SESSIONS - 1)
    apart = RULE.shift_of(measured(*[3.0] * 12), measured(*[2.0] * 12), few)
    assert isinstance(apart.spread, Unknown)
    assert RULE.judge(apart)[0] is Outcome.REGRESSION
    overlapping = RULE.shift_of(measured(*wide(3.0)), measured(*wide(2.7)), few)
    outcome, reason = RULE.judge(overlapping)
    assert outcome is Outcome.INCONCLUSIVE
    assert "these two runs alone cannot tell" in reason
    same = RULE.shift_of(measured(*[3.0] * 12), measured(*[3.0] * 12), few)
    assert RULE.judge(same) == (Outcome.PASS, "")


@pytest.mark.parametrize("centre", [3.0, 2.7])
def test_a_session_noisier_than_its_history_is_not_taken_for_one_of_it(measured, centre):
    noisy = [centre * factor for factor in (0.6, 1.5, 0.7, 1.4, 1.0, 1.0, 0.65, 1.45)]
    shift = RULE.shift_of(measured(*[3.0] * 12), measured(*noisy), sessions(0.01))
    assert RULE.judge(shift)[0] is Outcome.INCONCLUSIVE


def test_a_loss_within_the_tolerance_is_nothing_however_sure_it_is(measured):
    shift = RULE.shift_of(measured(*[3.0] * 40), measured(*[2.9] * 40), sessions(0.001))
    assert RULE.judge(shift)[0] is Outcome.PASS


@pytest.mark.parametrize("earlier", [(), sessions(0.01)], ids=["no history", "a long one"])
def test_so_few_pairs_that_nothing_bounds_them_are_undecided(measured, earlier):
    shift = RULE.shift_of(measured(3.0, 3.0), measured(1.0, 1.0), earlier)
    assert (shift.speedup.low_ratio, shift.speedup.high_ratio) == (0.0, UNBOUNDED_RATIO)
    assert RULE.judge(shift)[0] is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("candidate_ns", "baseline_ns", "moved"),
    [
        (1_000_000, 3_000_000, Moved.NEITHER),
        (1_200_000, 3_000_000, Moved.CANDIDATE),
        (1_000_000, 2_500_000, Moved.BASELINE),
        (1_200_000, 3_600_000, Moved.BOTH),
    ],
)
def test_latencies_say_which_side_moved(measured, candidate_ns, baseline_ns, moved):
    ratio = baseline_ns / candidate_ns
    later = replace(measured(*[ratio] * 12), candidate_median_ns=candidate_ns, baseline_median_ns=baseline_ns)
    shift = RULE.shift_of(measured(*[3.0] * 12), later, sessions(0.01))
    assert shift.moved is moved
    assert (moved.value in RULE.judge(shift)[1]) is (moved is not Moved.NEITHER)


@pytest.mark.parametrize(("cases", "most"), [(1, 0.05), (20, 0.0025)])
@pytest.mark.parametrize("count", [8, 12, 30])
def test_false_alarms_of_sessions_without_a_change_are_at_most_as_stated(measured, count, cases, most):
    rule = ShiftRule(tolerance=1e-6, rates=levels(0.05, cases))
    chance, trials, alarms = random.Random(7), 1000, 0
    for _ in range(trials):
        before = [3.0 * chance.lognormvariate(0, 0.02) for _ in range(count)]
        base, head = chance.choice(before), 3.0 * chance.lognormvariate(0, 0.02)
        shift = rule.shift_of(measured(*[base] * 6), measured(*[head] * 6), before)
        alarms += rule.judge(shift)[0] is Outcome.REGRESSION
    assert alarms / trials <= most + 2.5 * (most / trials) ** 0.5  # what 1,000 trials may differ by
