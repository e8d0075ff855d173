"""Several processes of one case: what they say together, and how often they are wrong."""

import random
from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge import betting
from pytest_xeonperf.judge.betting import Decision
from pytest_xeonperf.judge.processes import decide, estimate, logs_by_process, ratio_of, student_quantile
from pytest_xeonperf.records import Sample


@pytest.mark.parametrize(
    ("tail", "freedom", "quantile"),
    [
        (0.025, 1, 12.7062),
        (0.025, 2, 4.30265),
        (0.025, 3, 3.18245),
        (0.05, 5, 2.01505),
        (0.005, 9, 3.24984),
        (0.0005, 2, 31.5991),
        (0.025, 29, 2.04523),
    ],
)
def test_quantiles_are_those_of_the_tables(tail, freedom, quantile):
    assert student_quantile(tail, freedom) == pytest.approx(quantile, rel=1e-5)


def test_pairs_are_told_apart_by_process():
    samples = [
        Sample(
            process=process,
            round_index=number,
            baseline_ns=2 * (process + 1),
            candidate_ns=1,
            baseline_position=0,
            candidate_position=1,
        )
        for process in range(2)
        for number in range(3)
    ]
    assert logs_by_process(samples) == ((log(2),) * 3, (log(4),) * 3)
    assert logs_by_process([]) == ()


def test_one_process_is_judged_by_its_pairs():
    logs = tuple(log(3 + 0.01 * number) for number in range(8))
    assert estimate((logs,), alpha=0.05) == betting.estimate(logs, alpha=0.05)
    rates = {"pass_alpha": 0.05, "red_alpha": 0.01}
    assert decide((logs,), 2.9, **rates) is betting.decide(logs, 2.9, **rates) is Decision.ABOVE
    with pytest.raises(DataError, match="no finite pairs"):
        estimate((), alpha=0.05)


@pytest.mark.parametrize(
    ("ratios", "floor", "decision"),
    [
        ((3.0, 3.1, 2.9), 2.0, Decision.ABOVE),
        ((3.0, 3.1, 2.9), 2.85, Decision.OPEN),
        ((3.0, 3.1, 2.9), 3.15, Decision.OPEN),
        ((3.0, 3.1, 2.9), 6.0, Decision.BELOW),
        ((3.0, 1.0), 2.0, Decision.OPEN),
        ((3.0, 3.0), 2.9, Decision.ABOVE),
    ],
)
def test_what_processes_differ_by_is_what_a_threshold_must_be_away(ratios, floor, decision):
    groups = [(log(ratio),) * 6 for ratio in ratios]
    assert decide(groups, floor, pass_alpha=0.05, red_alpha=0.05) is decision


@given(
    st.lists(st.lists(st.floats(-3, 3), min_size=1, max_size=9), min_size=2, max_size=6),
    st.floats(-0.5, 0.5),
    st.floats(0.001, 0.4),
)
def test_an_interval_holds_its_estimate_turns_with_its_sides_and_moves_with_a_factor(groups, shift, alpha):
    found = estimate(groups, alpha=alpha)
    assert found.low_ratio <= found.ratio * (1 + 1e-9)
    assert found.ratio <= found.high_ratio * (1 + 1e-9)
    turned = estimate([[-value for value in logs] for logs in groups], alpha=alpha)
    assert turned.ratio == pytest.approx(1 / found.ratio)
    moved = estimate([[value + shift for value in logs] for logs in groups], alpha=alpha)
    assert moved.ratio == pytest.approx(found.ratio * exp(shift))


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_the_interval_covers_the_truth_where_processes_differ_more_than_pairs(processes):
    chance, trials = random.Random(3), 2000
    covered = wrongly_passed = 0
    for _ in range(trials):
        groups = []
        for _ in range(processes):
            own = chance.gauss(0, 0.03)
            groups.append([own + chance.gauss(0, 0.005) for _ in range(6)])
        found = estimate(groups, alpha=0.05)
        covered += found.low_ratio <= 1 <= found.high_ratio
        wrongly_passed += decide(groups, 1.0, pass_alpha=0.05, red_alpha=0.05) is Decision.ABOVE
    assert covered / trials > 0.95 - 0.015  # what 2,000 trials may differ by
    assert wrongly_passed / trials < 0.05 + 0.015


@given(st.lists(st.lists(st.floats(-2, 2), min_size=1, max_size=9), min_size=1, max_size=4))
def test_the_ratio_alone_is_that_of_the_estimate(groups):
    assert ratio_of(groups) == pytest.approx(estimate(groups, alpha=0.05).ratio)


def test_no_pairs_have_no_ratio():
    with pytest.raises(DataError):
        ratio_of([])
