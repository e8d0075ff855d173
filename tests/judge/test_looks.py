"""What two looks come to, and that both together err no more often than is promised."""

from dataclasses import replace
from math import log
from random import Random

import pytest

from pytest_xeonperf.judge.betting import Decision, wealth
from pytest_xeonperf.judge.change import Times, change_of
from pytest_xeonperf.judge.looks import SECOND_ALPHA, Seen, confirmed, looks
from pytest_xeonperf.records import Outcome, Sample, Unknown

SLOWER = log(1 / 1.1)
ALONE = Unknown(reason="a mere baseline")
PAIR = Sample(process=0, round_index=0, baseline_ns=100, candidate_ns=110, baseline_position=0, candidate_position=1)


def both(cases=1, fewest_pairs=6):
    return looks(0.05, cases, tolerance=0.02, fewest_pairs=fewest_pairs)


def ever(alpha, pairs):
    """Exact chance that so many fair coins, looked at after each, ever bring the wealth that refutes them at alpha."""
    going, reached = {0: 1.0}, 0.0  # by wins
    for tossed in range(1, pairs + 1):
        after = {}
        for wins, chance in going.items():
            for won in (wins, wins + 1):
                if wealth(won, tossed - won) >= 1 / alpha:
                    reached += chance / 2
                else:
                    after[won] = after.get(won, 0.0) + chance / 2
        going = after
    return reached


@pytest.mark.parametrize("cases", [1, 3, 4, 40, 1000])
def test_both_looks_together_keep_the_share_of_alpha_of_a_case_and_the_first_alone_alpha(cases):
    first, second = both(cases)
    assert ever(first.rates.red_alpha, 60) * ever(second.rates.red_alpha, 60) <= 0.05 / cases
    assert first.rates.red_alpha <= 0.05
    assert first.rates.red_alpha * second.rates.red_alpha == pytest.approx(min(0.05 * SECOND_ALPHA, 0.05 / cases))


@pytest.mark.parametrize("cases", [1, 40])
def test_a_pass_is_as_sure_as_it_would_be_in_one_look(cases):
    assert [rule.rates.pass_alpha for rule in both(cases)] == [0.05, 0.05]


def test_five_pairs_flag_and_three_confirm():
    first, second = both()
    assert [first.decide([SLOWER] * pairs) for pairs in (4, 5)] == [Decision.OPEN, Decision.BELOW]
    assert [second.decide([SLOWER] * pairs) for pairs in (2, 3)] == [Decision.OPEN, Decision.BELOW]


def test_nothing_passes_before_its_median_is_bounded():
    for rule in both(fewest_pairs=2):
        assert [rule.decide([0.1] * pairs) for pairs in (5, 6)] == [Decision.OPEN, Decision.ABOVE]


def test_who_asks_for_more_pairs_has_them_in_both_looks_together():
    first, second = both(fewest_pairs=12)
    assert first.flags_from + second.flags_from == 12
    assert first.decide([0.1] * 11) is Decision.OPEN
    assert first.decide([0.1] * 12) is Decision.ABOVE


def test_among_many_cases_the_first_look_needs_fewer_pairs_than_it_would_alone():
    first, _second = both(cases=40)
    flagged_at = next(pairs for pairs in range(1, 40) if first.decide([SLOWER] * pairs) is Decision.BELOW)
    alone_at = next(pairs for pairs in range(1, 40) if wealth(pairs, 0) >= 40 / 0.05)
    assert (flagged_at, alone_at) == (9, 11)


def test_on_unchanged_code_noise_is_red_as_rarely_as_promised():
    order, rules = Random(5), both()
    red = sum(all(_ever_slower(rule, [order.gauss(0, 0.1) for _ in range(40)]) for rule in rules) for _ in range(1000))
    assert red <= 1000 * 0.0125 + 2.6 * (1000 * 0.0125) ** 0.5  # its rate, and 99.5 % of what luck may add


def _ever_slower(rule, logs):
    for pairs in range(3, len(logs) + 1):
        decision = rule.decide(logs[:pairs])
        if decision is not Decision.OPEN:
            return decision is Decision.BELOW
    return False


def test_what_both_looks_see_is_red_and_told_by_the_rounds_of_both(compared):
    red = replace(compared(Outcome.REGRESSION), pairs=(PAIR, PAIR))
    own = Times(base_ns=(100,) * 8, head_ns=(110,) * 8)
    change = change_of(own, ALONE, alpha=0.05, tolerance=0.02)

    found = confirmed(red, red, change)

    assert (found.outcome, found.reason, found.change) == (Outcome.REGRESSION, "takes +10.0 % time", change)
    assert [pair.process for pair in found.pairs] == [0, 0, 1, 1]


def test_what_only_the_first_look_sees_is_open_and_told_by_both_figures(compared):
    first = replace(compared(Outcome.REGRESSION), pairs=(PAIR, PAIR))
    second = replace(compared(Outcome.PASS), pairs=(PAIR,))
    slow = change_of(Times(base_ns=(100,) * 6, head_ns=(110,) * 6), ALONE, alpha=0.05, tolerance=0.02)

    found = confirmed(replace(first, change=slow), second, ALONE)

    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason == "+10.0 % time at first, ±0.0 % time in fresh processes: not confirmed"
    assert found.change == second.change
    assert [pair.process for pair in found.pairs] == [0, 0, 1]


def test_what_fresh_processes_cannot_measure_is_open(compared):
    found = confirmed(compared(Outcome.REGRESSION), Unknown(reason="it could not be measured"), ALONE)

    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason.endswith("it could not be measured in fresh processes: not confirmed")


def test_what_takes_its_worker_down_twice_is_red_without_times(compared):
    dead = compared(Outcome.CRASHED, change=ALONE, reason="it killed its worker")

    assert confirmed(dead, dead, ALONE) == dead


def test_the_rounds_of_both_looks_are_those_of_the_first_and_then_of_the_second():
    first = Seen(own=Times(base_ns=(1, 2), head_ns=(3, 4)), baseline=Times(base_ns=(5, 6), head_ns=(7, 8)))
    second = Seen(own=Times(base_ns=(9,), head_ns=(10,)), baseline=Times(base_ns=(11,), head_ns=(12,)))

    assert first.then(second) == Seen(
        own=Times(base_ns=(1, 2, 9), head_ns=(3, 4, 10)), baseline=Times(base_ns=(5, 6, 11), head_ns=(7, 8, 12))
    )


def test_a_baseline_that_one_look_does_not_know_in_full_is_not_known_in_both():
    own, short = Times(base_ns=(1, 2), head_ns=(3, 4)), Times(base_ns=(5,), head_ns=(7,))
    whole, without = Seen(own=own, baseline=own), Seen(own=own, baseline=ALONE)

    assert without.then(whole).baseline == whole.then(without).baseline == ALONE
    assert isinstance(Seen(own=own, baseline=short).then(whole).baseline, Unknown)
