"""What the rounds of a model say of a case."""

from dataclasses import replace

import pytest

from pytest_xeonperf.judge.change import ChangeRule
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.records import Case, Metric, Outcome, Sample, Unknown
from pytest_xeonperf.shell.gate_cases import doubted, judged
from pytest_xeonperf.shell.gate_request import Side
from pytest_xeonperf.shell.gate_rounds import Measured
from pytest_xeonperf.shell.gate_table import Model

MODEL = Model(label="net/forward [quick]", node_ids=dict.fromkeys(Side, "test_net.py::test_a"))
CASE = Case(
    workload="net", phase="forward", preset="quick", variant="compiled", metric=Metric.LATENCY, over="eager_fp32"
)
RULE = ChangeRule(tolerance=0.02, rates=levels(0.05, 1))


def pair(number, *, base_first):
    """Head takes a tenth longer if it runs right after base."""
    return Sample(
        process=0,
        round_index=number,
        baseline_ns=1000 + number % 3,
        candidate_ns=(1100 if base_first else 1000) + number % 5,
        baseline_position=0 if base_first else 1,
        candidate_position=1 if base_first else 0,
    )


@pytest.fixture
def found():
    pairs = [pair(number, base_first=number % 2 == 0) for number in range(20)]
    return Measured(seed=5, pairs={"compiled": pairs})


def test_it_keeps_its_pairs_and_sees_what_one_side_leaves_to_the_other(found):
    case = judged(MODEL, CASE, found, {}, RULE)
    assert case.pairs == tuple(found.pairs["compiled"])
    assert case.order.seen
    assert case.order.effect_ratio == pytest.approx(1 / 1.1, rel=0.01)


def test_an_order_that_was_not_drawn_says_nothing(found):
    case = judged(MODEL, CASE, replace(found, in_turns=True), {}, RULE)
    assert isinstance(case.order, Unknown)
    assert "took turns" in case.order.reason


def test_what_was_not_in_the_rounds_has_no_order(found):
    case = judged(MODEL, replace(CASE, variant="other"), found, {}, RULE)
    assert (case.outcome, case.pairs) == (Outcome.INCONCLUSIVE, ())
    assert isinstance(case.order, Unknown)


@pytest.mark.parametrize(
    ("outcome", "lacking", "now"),
    [
        (Outcome.PASS, (), Outcome.PASS),
        (Outcome.PASS, ("a.so", "b.so"), Outcome.INCONCLUSIVE),
        (Outcome.REGRESSION, ("a.so",), Outcome.REGRESSION),
    ],
)
def test_only_what_is_green_is_doubted_for_a_base_without_compiled_code(compared, outcome, lacking, now):
    case = doubted(compared(outcome), lacking)
    assert case.outcome is now
    assert ("head runs a.so and 1 more" in case.reason) is (now is Outcome.INCONCLUSIVE)
