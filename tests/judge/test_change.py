"""Which side moved, by how much, how surely; and that code which does not change speed is seldom called slower."""

from math import inf, log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.betting import Decision
from pytest_xeonperf.judge.change import ChangeRule, Moved, Times, change_of
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.records import Outcome, Unknown

RULE = ChangeRule(tolerance=0.02, rates=levels(0.05, 1))
ALONE = Unknown(reason="a mere baseline")


def times(base, head, rounds=8):
    return Times(base_ns=(base,) * rounds, head_ns=(head,) * rounds)


def judged(own, baseline=ALONE):
    change = change_of(own, baseline, alpha=0.05, tolerance=0.02)
    return change, *RULE.judge(own.logs(), change)


def test_a_variant_that_takes_longer_at_head_is_a_regression_of_its_own():
    change, outcome, reason = judged(times(100, 110), times(1000, 1000))
    assert outcome is Outcome.REGRESSION
    assert change.moved is Moved.CANDIDATE
    assert reason == "takes +10.0 % time; the variant moved, its baseline did not"
    assert change.speedup.ratio == pytest.approx(1 / 1.1)


def test_a_baseline_that_became_slower_makes_no_regression_of_the_variant():
    change, outcome, reason = judged(times(100, 100), times(1000, 1200))
    assert (outcome, change.moved) == (Outcome.PASS, Moved.BASELINE)
    assert reason == "its baseline moved, the variant did not"
    assert change.speedup.ratio == pytest.approx(1.2)


def test_a_model_that_does_more_work_moves_both():
    change, outcome, _reason = judged(times(100, 110), times(1000, 1100))
    assert (outcome, change.moved) == (Outcome.REGRESSION, Moved.BOTH)
    assert change.speedup.ratio == pytest.approx(1)


def test_nothing_moved_is_green_without_a_word():
    change, outcome, reason = judged(times(100, 100), times(1000, 1000))
    assert (outcome, change.moved, reason) == (Outcome.PASS, Moved.NEITHER, "")
    assert change.excluded_slowdown == pytest.approx(0)


def test_what_became_faster_is_green():
    assert judged(times(100, 80))[1] is Outcome.PASS


def test_a_slow_down_within_the_tolerance_is_green():
    assert judged(times(10_000, 10_100))[1] is Outcome.PASS


@pytest.mark.parametrize("rounds", range(1, 6))
def test_fewer_than_six_rounds_decide_nothing(rounds):
    own = times(100, 200, rounds)
    change, outcome, reason = judged(own)
    assert outcome is Outcome.INCONCLUSIVE
    assert reason.startswith(f"undecided after {rounds} rounds")
    assert change.pairs == rounds


def test_an_undecided_case_says_how_many_rounds_would_do():
    own = Times(base_ns=(100,) * 10, head_ns=(97, 108) * 5)
    _change, outcome, reason = judged(own)
    assert outcome is Outcome.INCONCLUSIVE
    assert "as many pairs above as below" in reason


@pytest.mark.parametrize("duration_ns", [0, -5])
def test_a_clock_that_went_backwards_is_no_measurement(duration_ns):
    own = Times(base_ns=(100, 100), head_ns=(100, duration_ns))
    with pytest.raises(DataError, match="look for a clock that went backwards"):
        change_of(own, ALONE, alpha=0.05, tolerance=0.02)


def test_no_rounds_are_no_measurement():
    with pytest.raises(DataError, match="no finite pairs"):
        change_of(Times(base_ns=(), head_ns=()), ALONE, alpha=0.05, tolerance=0.02)


@given(st.lists(st.floats(0, 0.5), min_size=1, max_size=40))
def test_head_that_is_never_slower_is_never_called_so(logs):
    assert RULE.decide(logs) is not Decision.BELOW


@given(st.lists(st.floats(-1, log(RULE.line_ratio), exclude_max=True), min_size=6, max_size=40))
def test_head_that_is_always_slower_than_the_tolerance_is_never_green(logs):
    assert RULE.decide(logs) is Decision.BELOW


@pytest.mark.parametrize("noise", [0.005, 0.03, 0.1])
def test_on_unchanged_code_a_red_verdict_is_as_rare_as_promised(noise):
    order = Random(7)
    red = sum(_ever_red([order.gauss(0, noise) for _ in range(60)]) for _ in range(400))
    assert red <= 400 * 0.05 + 2.6 * (400 * 0.05 * 0.95) ** 0.5  # a chance of 0.05, and 99.5 % of what luck may add


def test_a_slow_down_of_three_percent_is_found_in_noise_of_one():
    order = Random(11)
    found = sum(_ever_red([order.gauss(-log(1.03), 0.014) for _ in range(40)]) for _ in range(200))
    assert found > 190


def _ever_red(logs):
    """Looked at after every round, until it says something."""
    for rounds in range(6, len(logs) + 1):
        decision = RULE.decide(logs[:rounds])
        if decision is not Decision.OPEN:
            return decision is Decision.BELOW
    return False


def test_the_interval_is_of_the_ratio_base_to_head():
    change, *_ = judged(Times(base_ns=(100,) * 8, head_ns=(110, 111, 112, 113, 114, 115, 116, 117)))
    assert change.own.low_ratio <= change.own.ratio <= change.own.high_ratio < 1
    assert change.own.low_ratio <= 1 / (1 + change.excluded_slowdown) <= change.own.ratio


@given(st.lists(st.integers(900, 1100), min_size=6, max_size=40))
def test_it_passes_exactly_where_a_slow_down_of_the_tolerance_would_have_been_seen(heads_ns):
    change, outcome, _reason = judged(Times(base_ns=(1000,) * len(heads_ns), head_ns=tuple(heads_ns)))
    if outcome is not Outcome.REGRESSION:
        assert (outcome is Outcome.PASS) == (change.excluded_slowdown < RULE.tolerance * (1 - 1e-9))


def test_an_undecided_case_says_which_slow_down_would_have_been_seen():
    change, outcome, reason = judged(Times(base_ns=(1000,) * 6, head_ns=(1041, 990, 1010, 1000, 1015, 985)))
    assert outcome is Outcome.INCONCLUSIVE
    assert change.excluded_slowdown == pytest.approx(0.041)
    assert reason.endswith("; a slow-down of 4.1 % or more would have been seen")


def test_too_few_rounds_would_have_shown_nothing():
    change, outcome, reason = judged(times(100, 100, 4))
    assert (outcome, change.excluded_slowdown) == (Outcome.INCONCLUSIVE, inf)
    assert "would have been seen" not in reason
