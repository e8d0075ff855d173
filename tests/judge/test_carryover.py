"""Carry-over is seen where it is, and where there is none the alarms are as rare as promised."""

from dataclasses import replace
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.judge.carryover import ALPHA, FEWEST, OrderEffect, order_effect, order_effects
from pytest_xeonperf.records import TIMED_ALONE, Case, Metric, Outcome, Result, Sample, Timing, Unknown, Verdict

BASELINE_NS, CANDIDATE_NS = 430_000_000, 100_000_000
SIGMA = 0.01
CASE = Case(
    workload="tiny", phase="forward", preset="quick", variant="compiled_bf16", metric=Metric.LATENCY, over="eager_fp32"
)


def independent(rng, calls):
    return rng.normal(0, SIGMA, calls)


def autocorrelated(rng, calls, correlation=0.7):
    shocks = rng.normal(0, SIGMA * np.sqrt(1 - correlation**2), calls)
    noise = [rng.normal(0, SIGMA)]
    for shock in shocks[1:]:
        noise.append(correlation * noise[-1] + shock)
    return np.array(noise)


def drifting(rng, calls):
    return np.linspace(0, 0.05, calls) + rng.normal(0, SIGMA, calls)


def heavy_tailed(rng, calls):
    return np.clip(SIGMA * rng.standard_cauchy(calls), -15, 15)


def rounds(rng, pairs, *, slots=2, noise=independent, after_baseline=0.0):
    """Pairs from rounds in random order; the candidate takes longer by so much right after the baseline."""
    factors = noise(rng, pairs * slots).reshape(pairs, slots)
    samples = []
    for index in range(pairs):
        baseline, candidate = (int(place) for place in rng.permutation(slots)[:2])
        late = after_baseline if candidate == baseline + 1 else 0.0
        samples.append(
            Sample(
                process=0,
                round_index=index,
                baseline_ns=max(1, round(BASELINE_NS * np.exp(factors[index, baseline]))),
                candidate_ns=max(1, round(CANDIDATE_NS * (1 + late) * np.exp(factors[index, candidate]))),
                baseline_position=baseline,
                candidate_position=candidate,
            )
        )
    return tuple(samples)


def pairs_of(first, last, *, distance=1):
    """Pairs with these ratios: the baseline first, then the candidate first."""
    places = [(0, distance)] * len(first) + [(distance, 0)] * len(last)
    return tuple(
        Sample(
            process=0,
            round_index=index,
            baseline_ns=round(ratio * 1_000_000),
            candidate_ns=1_000_000,
            baseline_position=baseline,
            candidate_position=candidate,
        )
        for index, (ratio, (baseline, candidate)) in enumerate(zip([*first, *last], places, strict=True))
    )


def swapped(sample):
    return replace(
        sample,
        baseline_ns=sample.candidate_ns,
        candidate_ns=sample.baseline_ns,
        baseline_position=sample.candidate_position,
        candidate_position=sample.baseline_position,
    )


any_sample = st.builds(
    Sample,
    round_index=st.integers(0, 99),
    baseline_ns=st.integers(1_000, 4_000),
    candidate_ns=st.integers(1_000, 4_000),
    baseline_position=st.sampled_from([0, 2, 4]),
    candidate_position=st.sampled_from([1, 3, 5]),
)
any_samples = st.lists(any_sample, min_size=12, max_size=20)


def test_both_medians_and_their_counts_are_told():
    effect = order_effect(pairs_of([3.8, 3.9, 4.0, 4.1, 4.2], [4.3, 4.4, 4.5, 4.6]))
    assert (effect.baseline_first_pairs, effect.candidate_first_pairs) == (5, 4)
    assert effect.baseline_first_ratio == pytest.approx(4.0)
    assert effect.candidate_first_ratio == pytest.approx((4.4 * 4.5) ** 0.5)
    assert effect.effect_ratio == pytest.approx(4.0 / (4.4 * 4.5) ** 0.5)
    assert effect.in_words == "4.00x when the baseline ran first, 4.45x when the candidate did"


@pytest.mark.parametrize(("first", "last"), [(4, 4), (4, 6), (7, 7)])
def test_orders_that_do_not_overlap_are_the_two_furthest_of_all_ways_to_deal_them_out(first, last):
    low, high = [1 + 0.01 * at for at in range(first)], [2 + 0.01 * at for at in range(last)]
    for one, other in ((low, high), (high, low)):
        assert order_effect(pairs_of(one, other)).p_value == 2 / comb(first + last, first)


def test_p_is_that_of_the_rank_sum_test():
    # ranks 1, 2, 4, 6: of the 70 sums of four out of eight, 7 are at most 13 and 7 are at least 23
    effect = order_effect(pairs_of([1.1, 1.2, 1.4, 1.6], [1.3, 1.5, 1.7, 1.8]))
    assert effect.p_value == pytest.approx(14 / 70)


@pytest.mark.parametrize("ranks", [(1, 2, 3, 4, 5, 6, 7, 16), (1, 2, 5, 6, 9, 10, 13, 14)])
def test_draws_come_near_to_what_all_ways_give(ranks):
    orders = [1 + 0.01 * rank for rank in ranks], [1 + 0.01 * rank for rank in range(1, 17) if rank not in ranks]
    expected = 8 * 17 / 2
    ways = [abs(sum(way) - expected) >= expected - sum(ranks) for way in combinations(range(1, 17), 8)]
    assert order_effect(pairs_of(*orders)).p_value == pytest.approx(sum(ways) / len(ways), rel=0.3)


def test_where_ways_are_drawn_p_is_never_nothing():
    ratios = [1 + 0.01 * at for at in range(40)]
    assert order_effect(pairs_of(ratios[:20], ratios[20:])).p_value == 1 / 10_000


def test_ratios_that_are_all_the_same_show_nothing():
    effect = order_effect(pairs_of([4.3] * 12, [4.3] * 9))
    assert (effect.p_value, effect.effect_ratio, effect.seen) == (1.0, 1.0, False)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 40), (3, 3), (3, 30), (30, 3)])
def test_too_few_of_either_order_say_nothing_and_how_many_there_are(first, last):
    effect = order_effect(pairs_of([4.0] * first, [5.0] * last))
    shown = f"{first} pair{'' if first == 1 else 's'} and the candidate in {last}"
    assert effect == Unknown(reason=f"the baseline ran first in {shown}: it takes {FEWEST} of either order")


def test_neighbours_count_for_more_than_those_with_others_in_between():
    near, far = ([4.0] * 4, [4.4] * 4), ([4.3] * 6, [4.1] * 6)
    effect = order_effect((*pairs_of(*near), *pairs_of(*far, distance=5)))
    assert (effect.baseline_first_ratio, effect.candidate_first_ratio) == (pytest.approx(4.0), pytest.approx(4.4))
    assert effect.seen
    all_near = order_effect((*pairs_of(*near), *pairs_of(*far)))
    assert (all_near.baseline_first_ratio, all_near.candidate_first_ratio) == (pytest.approx(4.3), pytest.approx(4.1))
    assert not all_near.seen


def test_a_pair_without_an_order_is_left_out():
    ordered = pairs_of([4.0, 4.1, 4.2, 4.3], [4.0, 4.1, 4.2, 4.4])
    nowhere = replace(ordered[0], baseline_ns=9_000_000, baseline_position=3, candidate_position=3)
    assert order_effect((*ordered, nowhere)) == order_effect(ordered)


@pytest.mark.parametrize("side", ["baseline_ns", "candidate_ns"])
def test_a_clock_that_went_backwards_says_nothing_of_the_order(side):
    first, *others = pairs_of([4.0] * 5, [4.0] * 5)
    assert order_effect((replace(first, **{side: 0}), *others)) == Unknown(reason="a duration is not positive")


@given(any_samples)
def test_it_is_the_same_seen_from_the_other_side(samples):
    effect, turned = order_effect(samples), order_effect([swapped(sample) for sample in samples])
    if isinstance(effect, Unknown):
        assert isinstance(turned, Unknown)
        return
    assert turned.p_value == effect.p_value
    assert turned.baseline_first_pairs == effect.candidate_first_pairs
    assert turned.baseline_first_ratio == pytest.approx(1 / effect.candidate_first_ratio)
    assert turned.effect_ratio == pytest.approx(effect.effect_ratio)


@given(any_samples, st.integers(2, 1000))
def test_how_fast_either_side_is_makes_no_difference(samples, times):
    effect = order_effect(samples)
    slower = order_effect([replace(sample, candidate_ns=times * sample.candidate_ns) for sample in samples])
    if isinstance(effect, Unknown):
        assert slower == effect
        return
    assert slower.effect_ratio == pytest.approx(effect.effect_ratio)
    assert slower.baseline_first_ratio == pytest.approx(effect.baseline_first_ratio / times)


@given(any_samples)
def test_the_medians_are_among_the_ratios_and_p_is_a_chance(samples):
    effect = order_effect(samples)
    if isinstance(effect, Unknown):
        return
    ratios = [sample.baseline_ns / sample.candidate_ns for sample in samples]
    for ratio in (effect.baseline_first_ratio, effect.candidate_first_ratio):
        assert min(ratios) * (1 - 1e-9) <= ratio <= max(ratios) * (1 + 1e-9)
    assert 0 < effect.p_value <= 1
    assert effect.baseline_first_pairs + effect.candidate_first_pairs == len(samples)


@pytest.mark.parametrize("noise", [independent, autocorrelated, heavy_tailed, drifting])
@pytest.mark.parametrize(("pairs", "slots"), [(12, 2), (20, 6), (30, 2)])
def test_without_carry_over_an_alarm_is_as_rare_as_promised(noise, pairs, slots):
    rng, runs = np.random.default_rng(pairs + slots), 300
    effects = [order_effect(rounds(rng, pairs, slots=slots, noise=noise)) for _ in range(runs)]
    alarms = sum(isinstance(effect, OrderEffect) and effect.p_value <= ALPHA for effect in effects)
    promised = 0.07 if noise is drifting else ALPHA
    assert alarms <= runs * promised + 3.3 * (runs * promised) ** 0.5  # the promise, and what luck may add


@pytest.mark.parametrize("pairs", [20, 40])
def test_a_candidate_that_is_slower_right_after_the_baseline_is_seen(pairs):
    rng = np.random.default_rng(pairs)
    effects = [order_effect(rounds(rng, pairs, after_baseline=0.05)) for _ in range(25)]
    assert sum(effect.p_value <= ALPHA / 37 for effect in effects) >= 24  # in a run of 37 cases, as the shipped suites
    assert np.median([effect.candidate_first_ratio for effect in effects]) == pytest.approx(4.3, abs=0.02)
    assert np.median([effect.effect_ratio for effect in effects]) == pytest.approx(1 / 1.05, abs=0.005)


def test_in_rounds_of_six_it_takes_forty_pairs_to_see_it_mostly():
    rng = np.random.default_rng(6)
    effects = [order_effect(rounds(rng, 40, slots=6, after_baseline=0.05)) for _ in range(40)]
    assert sum(effect.seen for effect in effects) >= 24


def result_of(measurement):
    verdict = Verdict(outcome=Outcome.PASS, reason="", floor_ratio=Unknown(reason="none"), expectations=())
    return Result(
        node_id="test_a.py::test_b",
        location="test_a.py:1",
        case=CASE,
        measured_at="",
        measurement=measurement,
        verdict=verdict,
    )


@pytest.mark.parametrize("number", [20, 40])
def test_of_a_plain_run_with_one_bad_neighbour_that_case_alone_is_named(measured, number):
    rng = np.random.default_rng(number)
    results = [result_of(measured(samples=rounds(rng, number))) for _ in range(9)]
    assert not any(effect.seen for effect in order_effects(results))
    results[4] = result_of(measured(samples=rounds(rng, number, after_baseline=0.05)))
    assert [place for place, effect in enumerate(order_effects(results)) if effect.seen] == [4]


def test_over_a_whole_run_an_alarm_is_no_more_frequent_than_for_one_case(measured):
    rng, runs = np.random.default_rng(0), 80
    alarms = 0
    for _ in range(runs):
        results = [result_of(measured(samples=rounds(rng, 16))) for _ in range(10)]
        alarms += any(isinstance(effect, OrderEffect) and effect.seen for effect in order_effects(results))
    assert alarms <= runs * ALPHA + 3.3 * (runs * ALPHA) ** 0.5


def test_each_case_is_held_to_what_those_before_it_leave(measured):
    clear, fair, weak, none = (
        result_of(measured(samples=pairs_of(*orders)))
        for orders in (
            ([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6], [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6]),  # p = 2 / 3432
            ([1.0, 1.1, 1.2, 1.3, 1.4], [1.35, 2.1, 2.2, 2.3, 2.4]),  # p = 4 / 252
            ([1.0, 1.1, 1.2, 1.3], [2.0, 2.1, 2.2, 2.3]),  # p = 2 / 70
            ([1.0, 1.2, 1.4, 1.6], [1.1, 1.3, 1.5, 1.7]),
        )
    )
    assert [round(effect.p_value, 4) for effect in order_effects([clear, fair])] == [0.0006, 0.0159]
    assert [effect.seen for effect in order_effects([fair, none, clear])] == [True, False, True]  # Bonferroni: 0.0167
    assert [effect.seen for effect in order_effects([fair, none, none, none])] == [False] * 4
    assert [effect.seen for effect in order_effects([weak, weak])] == [False] * 2  # what the first misses, none has
    assert [effect.seen for effect in order_effects([fair, none, none, clear])] == [True, False, False, True]  # Holm


def test_what_was_not_compared_says_why_and_counts_for_nothing(measured):
    alone = result_of(Timing(item="call", rounds=1, durations_ns=(1,), median_ns=1))
    crashed = result_of(Unknown(reason="died of SIGSEGV"))
    clear = result_of(measured(samples=pairs_of([1.0, 1.1, 1.2, 1.3], [2.0, 2.1, 2.2, 2.3])))
    assert order_effects([]) == ()
    effects = order_effects([alone, crashed, clear])
    assert effects[:2] == (TIMED_ALONE, Unknown(reason="died of SIGSEGV"))
    assert effects[2].seen  # 2 / 70, which would not do for one of three
