"""Settings at a common rate, and what the gate is asked."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def gates(module):
    return module("gates")


@pytest.fixture(scope="session")
def draw(gates):
    return gates.Draw("iid log-normal", 99, 200)


def test_a_setting_fails_its_rate_of_what_it_comes_from_and_no_more(gates, draw):
    tool = gates.Scored(lambda base, head: head[0] / base[0], 2)

    setting = tool.set_to(draw, 0.05)

    assert sum(each.failed for each in tool.judge(draw, setting)) == 200 * 0.05


def test_the_gate_gets_the_smallest_tolerance_that_holds_the_rate(gates, draw):
    gate = gates.Gate(confirmed=False)

    tolerance = gate.set_to(draw, 0.01)

    shares = {
        each: np.mean([judged.failed for judged in gate.judge(draw, each)])
        for each in gates.TOLERANCES
        if each <= tolerance
    }
    assert shares.pop(tolerance) <= 0.01
    assert all(share > 0.01 for share in shares.values())


def test_a_clear_slow_down_costs_five_rounds_and_three_more(gates):
    slow = gates.Draw("iid log-normal", 99, 20, 0.5)

    assert {(each.failed, each.calls) for each in gates.Gate().judge(slow, 0.02)} == {(True, 16)}
    assert {(each.failed, each.calls) for each in gates.Gate(confirmed=False).judge(slow, 0.02)} == {(True, 10)}


def test_the_same_draw_is_the_same_comparisons(gates, draw):
    (first, *_), (again, *_) = draw.samples(), draw.samples()

    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
