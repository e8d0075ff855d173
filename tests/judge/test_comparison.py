"""What a whole gate comes to."""

import pytest

from pytest_xeonperf.judge.change import Times, change_of
from pytest_xeonperf.records import Outcome, Unknown

ALONE = Unknown(reason="a mere baseline")


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
