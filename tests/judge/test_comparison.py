"""What a whole gate comes to."""

from dataclasses import replace

import pytest

from pytest_xeonperf.judge.carryover import OrderEffect
from pytest_xeonperf.judge.change import Times, change_of
from pytest_xeonperf.records import Outcome, Unknown

ALONE = Unknown(reason="a mere baseline")
ORDER = OrderEffect(
    baseline_first_ratio=1 / 1.1,
    candidate_first_ratio=1.0,
    baseline_first_pairs=9,
    candidate_first_pairs=11,
    p_value=0.001,
    seen=True,
)


def change(percent):
    return change_of(Times(base_ns=(1000,) * 6, head_ns=(1000 + 10 * percent,) * 6), ALONE, alpha=0.05, tolerance=0.02)


@pytest.mark.parametrize(
    ("outcomes", "whole"),
    [
        ((Outcome.PASS, Outcome.PASS), Outcome.PASS),
        ((Outcome.PASS, Outcome.REGRESSION), Outcome.REGRESSION),
        ((Outcome.INCONCLUSIVE, Outcome.REGRESSION), Outcome.REGRESSION),
        ((Outcome.PASS, Outcome.NO_BASELINE), Outcome.NO_BASELINE),
        ((), Outcome.INCONCLUSIVE),
    ],
)
def test_red_beats_undecided_beats_green_and_nothing_is_never_green(compared, comparison, outcomes, whole):
    assert comparison(*(compared(outcome) for outcome in outcomes)).outcome is whole


def test_cases_without_a_measurement_are_no_green_whole(compared, comparison):
    assert comparison(compared(Outcome.PASS, change=ALONE)).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("outcome", [Outcome.PASS, Outcome.INCONCLUSIVE])
@pytest.mark.parametrize(("percent", "smallest"), [(1, 0.01), (5, 0.05), (-9, 0.0)])
def test_where_no_slow_down_was_seen_a_case_says_which_would_have_been(compared, outcome, percent, smallest):
    assert compared(outcome, change=change(percent)).seen_from == pytest.approx(smallest)


@pytest.mark.parametrize("outcome", [Outcome.REGRESSION, Outcome.CRASHED])
def test_where_one_was_seen_there_is_no_smallest(compared, outcome):
    assert compared(outcome, change=change(5)).seen_from == Unknown(reason="a slow-down was seen")


def test_without_a_measurement_or_a_bound_nothing_would_have_been_seen(compared):
    assert compared(change=ALONE).seen_from == ALONE
    few = change_of(Times(base_ns=(10,) * 2, head_ns=(10,) * 2), ALONE, alpha=0.05, tolerance=0.02)
    assert compared(change=few).seen_from == Unknown(reason="too few rounds to exclude any slow-down")


def test_the_worst_comes_first(compared, comparison):
    cases = [
        compared(Outcome.PASS, change=change(1)),
        compared(Outcome.INCONCLUSIVE, change=change(1)),
        compared(Outcome.REGRESSION, change=change(5)),
        compared(Outcome.REGRESSION, change=change(40)),
        compared(Outcome.PASS, change=change(-9)),
    ]
    order = [round((1 / each.change.own.ratio - 1) * 100) for each in comparison(*cases).worst_first]
    assert order == [40, 5, 1, 1, -9]


def test_rounds_are_counted_over_all_models_and_looks(comparison):
    (course,) = comparison().courses
    found = comparison(courses=(course, replace(course, voided_rounds=2, disturbed_rounds=3, confirming=True)))
    assert (found.voided_rounds, found.disturbed_rounds) == (3, 3)
    assert found.rounds_in_words == (
        "3 rounds voided because the machine was disturbed, 3 kept although it was: the time for others was spent"
    )
    assert comparison().rounds_in_words == "1 round voided because the machine was disturbed"


def test_only_what_matters_beside_the_measurement_is_remarked(compared, comparison):
    quiet, seen = compared(order=replace(ORDER, seen=False)), compared(order=ORDER)
    assert comparison(quiet).remarks == ()
    (course,) = comparison().courses
    shared = replace(course, contention=replace(course.contention, stolen_ns=4 * 10**8))
    assert comparison(quiet, seen, courses=(course, shared)).remarks == (
        "carry-over sam-vit-b/encode compiled_bf16: head takes +10.0 % time when base ran first, ±0.0 % when head did",
        (
            "shared sam-vit-b/encode [quick]: 20 % of the cores' time stolen by the hypervisor, "
            "0 % taken by other processes"
        ),
    )
