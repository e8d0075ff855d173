from fractions import Fraction
from math import comb, exp, inf, log, nan
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.betting import (
    Decision,
    decide,
    estimate,
    least_ratio,
    log_ratios,
    pairs_to_decide,
    peak_wealth,
    wealth,
)
from pytest_xeonperf.records import UNBOUNDED_RATIO, Sample, Unknown

FAIR_GAMES = 400
PAIRS = 40
LOGS = st.lists(st.floats(-3, 3), min_size=1, max_size=25)


def _decide(logs, threshold_ratio=1.0, *, pass_alpha=0.05, red_alpha=0.05):
    return decide(logs, threshold_ratio, pass_alpha=pass_alpha, red_alpha=red_alpha)


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_fair_coin_leaves_the_wealth_where_it_is_on_average(wins, losses):
    after = (Fraction(wealth(wins + 1, losses)) + Fraction(wealth(wins, losses + 1))) / 2
    assert float(after) == pytest.approx(wealth(wins, losses), rel=1e-14)


def test_the_gambler_starts_with_one():
    assert wealth(0, 0) == 1.0


def test_the_wealth_is_the_integral_it_says_it_is():
    steps = 20_000
    for wins, losses in ((3, 0), (5, 2), (2, 6)):
        chances = [0.5 + (step + 0.5) / (2 * steps) for step in range(steps)]
        mixture = sum((2 * p) ** wins * (2 * (1 - p)) ** losses for p in chances) / steps
        all_in = 2.0**wins if losses == 0 else 0.0
        assert wealth(wins, losses) == pytest.approx((all_in + mixture) / 2, rel=1e-6)


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_mixture_is_the_binomial_sum(wins, losses):
    pairs = wins + losses
    exactly = Fraction(sum(comb(pairs + 1, j) for j in range(wins + 1)), (pairs + 1) * comb(pairs, wins))
    all_in = 0 if losses else 2**wins
    assert wealth(wins, losses) == pytest.approx(float((all_in + exactly) / 2), rel=1e-15)


def test_five_straight_wins_reach_a_level_of_five_percent_and_four_do_not():
    assert wealth(4, 0) < 1 / 0.05 <= wealth(5, 0)


def test_six_straight_wins_reach_both_ends_of_an_interval_and_five_do_not():
    assert wealth(5, 0) < 2 / 0.05 <= wealth(6, 0)


@given(LOGS, st.floats(0.1, 9))
def test_the_ratio_that_is_surely_exceeded_is_the_threshold_at_which_above_is_no_longer_said(logs, threshold_ratio):
    surely = least_ratio(logs, alpha=0.05)
    assume(abs(surely - threshold_ratio) > 1e-9)
    assert (surely > threshold_ratio) == (_decide(logs, threshold_ratio) is Decision.ABOVE)


def test_a_single_loss_costs_the_half_that_is_all_in():
    assert wealth(9, 1) < wealth(9, 0) / 2


def test_what_was_once_reached_stays_reached():
    assert peak_wealth([True] * 5 + [False] * 30) == wealth(5, 0)


def test_losing_from_the_start_leaves_the_stake_as_the_peak():
    assert peak_wealth([False] * 10) == 1.0
    assert peak_wealth([]) == 1.0


def _share_of_fair_games(decision, seed):
    coin = Random(seed)
    games = [[coin.choice((-0.1, 0.1)) for _ in range(PAIRS)] for _ in range(FAIR_GAMES)]
    return sum(any(_decide(game[:n]) is decision for n in range(1, PAIRS + 1)) for game in games) / FAIR_GAMES


def test_looking_after_every_pair_passes_no_more_than_alpha_of_the_candidates_that_sit_on_the_floor():
    assert _share_of_fair_games(Decision.ABOVE, seed=1) <= 0.05 + 0.022  # two standard errors of 400 games


def test_looking_after_every_pair_condemns_no_more_than_alpha_of_the_candidates_that_sit_on_the_floor():
    assert _share_of_fair_games(Decision.BELOW, seed=2) <= 0.05 + 0.022


def test_a_candidate_that_wins_nine_of_ten_pairs_is_mostly_decided_within_forty():
    coin = Random(3)
    games = [[0.1 if coin.random() < 0.9 else -0.1 for _ in range(PAIRS)] for _ in range(200)]
    assert sum(_decide(game) is Decision.ABOVE for game in games) > 190


def test_the_interval_covers_the_true_median_at_every_stopping_time():
    draw = Random(4)
    missed = 0
    for _ in range(100):
        logs = [draw.gauss(log(2), 0.3) for _ in range(20)]
        looks = (estimate(logs[:n], alpha=0.05) for n in range(1, 21))
        missed += any(not look.low_ratio <= 2 <= look.high_ratio for look in looks)
    assert missed <= 5 + 5


@given(LOGS, st.floats(-4, 4))
def test_the_interval_holds_just_the_thresholds_that_a_decision_would_leave_open(logs, line):
    interval = estimate(logs, alpha=0.05)
    threshold = exp(line)
    if any(threshold == pytest.approx(end) for end in (interval.low_ratio, interval.high_ratio)):
        return  # exp and log do not round-trip
    if _decide(logs, interval.ratio, pass_alpha=0.025, red_alpha=0.025) is not Decision.OPEN:
        return  # early pairs exclude the median of all, which the interval reaches all the same
    decision = _decide(logs, threshold, pass_alpha=0.025, red_alpha=0.025)
    inside = interval.low_ratio < threshold < interval.high_ratio
    assert (decision is Decision.OPEN) == inside
    assert decision is not Decision.ABOVE or threshold < interval.low_ratio
    assert decision is not Decision.BELOW or threshold > interval.high_ratio


@given(LOGS)
def test_the_estimate_lies_within_its_interval(logs):
    found = estimate(logs, alpha=0.05)
    assert found.low_ratio <= found.ratio * (1 + 1e-12)
    assert found.ratio <= found.high_ratio * (1 + 1e-12)


def test_pairs_that_lie_elsewhere_later_widen_the_interval():
    found = estimate([0.0] * 8 + [0.5] * 9, alpha=0.05)
    assert (found.low_ratio, found.ratio, found.high_ratio) == pytest.approx((1.0, exp(0.5), exp(0.5)))


@given(LOGS, st.floats(0.2, 5))
def test_swapping_the_sides_swaps_the_decision(logs, threshold):
    swapped = {Decision.ABOVE: Decision.BELOW, Decision.BELOW: Decision.ABOVE, Decision.OPEN: Decision.OPEN}
    # mirrored around the line itself: log(1/threshold) may round to another number than -log(threshold)
    mirrored = [2 * log(threshold) - value for value in logs]
    if any(abs(value - log(threshold)) < 1e-9 for value in logs):
        return
    assert _decide(mirrored, threshold) is swapped[_decide(logs, threshold)]


def test_fewer_than_six_pairs_bound_nothing():
    found = estimate([0.5] * 5, alpha=0.05)
    assert (found.low_ratio, found.high_ratio) == (0.0, UNBOUNDED_RATIO)


def test_six_pairs_bound_both_ends():
    found = estimate([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], alpha=0.05)
    assert (found.low_ratio, found.high_ratio) == pytest.approx((exp(0.1), exp(0.6)))


def test_the_ratio_is_the_median_of_the_pairs():
    assert estimate([log(1), log(2), log(8)], alpha=0.05).ratio == pytest.approx(2)
    assert estimate([log(2), log(8)], alpha=0.05).ratio == pytest.approx(4)


def test_the_confidence_is_that_of_both_ends_together():
    assert estimate([0.0], alpha=0.1).confidence == 0.9


def test_constant_pairs_have_an_interval_of_one_point_and_are_decided_on_both_sides_of_it():
    logs = [log(3.0)] * 8
    found = estimate(logs, alpha=0.05)
    assert found.low_ratio == found.high_ratio == pytest.approx(3.0)
    assert _decide(logs, 2.9) is Decision.ABOVE
    assert _decide(logs, 3.1) is Decision.BELOW


def test_pairs_that_tie_with_the_floor_speak_for_neither_side():
    assert _decide([log(3.0)] * 40, 3.0) is Decision.OPEN


def test_the_level_of_a_pass_and_that_of_a_red_are_separate():
    logs = [0.1] * 5
    assert _decide(logs, pass_alpha=0.05, red_alpha=0.001) is Decision.ABOVE
    assert _decide([-0.1] * 5, pass_alpha=0.05, red_alpha=0.001) is Decision.OPEN
    assert _decide([-0.1] * 5, pass_alpha=0.05, red_alpha=0.05) is Decision.BELOW


def test_nothing_measured_decides_nothing():
    assert _decide([]) is Decision.OPEN


@pytest.mark.parametrize("logs", [[], [nan], [0.1, inf], [-inf] * 9])
def test_no_pairs_or_pairs_that_are_no_numbers_are_refused(logs):
    with pytest.raises(DataError, match="no finite pairs"):
        estimate(logs, alpha=0.05)


def test_log_ratios_are_of_baseline_over_candidate(pairs):
    assert log_ratios(pairs(2.0, 0.5)) == pytest.approx((log(2), -log(2)))


@pytest.mark.parametrize(("baseline_ns", "candidate_ns"), [(0, 5), (5, 0), (-3, 5), (5, -1)])
def test_a_duration_that_is_not_positive_is_the_clock_s_fault_and_names_its_round(baseline_ns, candidate_ns):
    sample = Sample(
        process=0,
        round_index=7,
        baseline_ns=baseline_ns,
        candidate_ns=candidate_ns,
        baseline_position=0,
        candidate_position=1,
    )
    with pytest.raises(DataError, match="round 7"):
        log_ratios([sample])


def test_more_than_a_thousand_straight_wins_are_still_counted():
    assert _decide([0.1] * 1100) is Decision.ABOVE


@pytest.mark.parametrize("sign", [1, -1])
def test_the_pairs_that_would_decide_do_if_they_go_on_as_they_began(sign):
    began = [sign * 0.1] * 3 + [-sign * 0.1]
    needed = pairs_to_decide(began, 1.0, pass_alpha=0.05, red_alpha=0.05)
    assert _decide(began * 2) is Decision.OPEN
    assert 8 < needed < 60
    assert _decide(began * (needed // 4 + 1)) is (Decision.ABOVE if sign > 0 else Decision.BELOW)


def test_a_stricter_level_needs_more_pairs():
    logs = [0.1, 0.1, 0.1, -0.1]
    strict, lax = (pairs_to_decide(logs, 1.0, pass_alpha=alpha, red_alpha=0.05) for alpha in (0.001, 0.05))
    assert strict > lax


def test_no_number_of_pairs_decides_what_sits_on_the_threshold():
    assert "sits on the threshold" in pairs_to_decide([0.1, -0.1], 1.0, pass_alpha=0.05, red_alpha=0.05).reason
    nearly = [0.1] * 51 + [-0.1] * 49
    assert isinstance(pairs_to_decide(nearly, 1.0, pass_alpha=0.05, red_alpha=0.05), Unknown)
