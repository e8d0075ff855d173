"""Calls under the profiler: of short ones that which was disturbed least."""

from __future__ import annotations

import pytest
import torch

from pytest_xeonperf.measure import clock
from pytest_xeonperf.measure.profiling import Profile, profiled, quietest
from pytest_xeonperf.records import Operator


@pytest.fixture
def scripted(monkeypatch):
    """Makes further profiled calls take just these times; the list of what is left of them."""

    def script(*durations_ns):
        left = list(durations_ns)
        monkeypatch.setattr(clock, "time_call_ns", lambda step: (left.pop(0), step()))
        return left

    return script


def first(duration_ns):
    return Profile(
        duration_ns=duration_ns,
        kernels=("aten::early", "aten::add"),
        operators=(Operator(name="aten::early", self_ns=duration_ns, calls=1),),
    )


def add():
    return torch.ones(4) + 1


def test_the_shortest_of_several_calls_is_kept_with_all_the_kernels_of_the_first(scripted):
    scripted(40_000_000, 9_000_000, 30_000_000, 20_000_000, 50_000_000)
    found = quietest(add, first(60_000_000))
    assert (found.duration_ns, found.kernels) == (9_000_000, ("aten::early", "aten::add"))
    assert sum(each.self_ns for each in found.operators) == 9_000_000
    assert "aten::add" in {each.name for each in found.operators}


def test_a_first_call_that_was_the_shortest_stays(scripted):
    left = scripted(*[2_000_000] * 9)
    assert quietest(add, first(1_000_000)) == first(1_000_000)
    assert len(left) == 4


def test_a_long_call_is_profiled_once(scripted):
    left = scripted(1)
    assert quietest(add, first(300_000_000)) == first(300_000_000)
    assert left == [1]


def test_no_more_time_is_spent_than_was_granted(scripted):
    left = scripted(*[90_000_000] * 5)
    quietest(add, first(90_000_000))
    assert len(left) == 3


def test_a_profile_has_the_output_and_the_time_of_the_clock_it_was_given():
    output, found = profiled(add, lambda step: (10**12, step()))
    assert output.tolist() == [2.0] * 4
    assert found.duration_ns == sum(each.self_ns for each in found.operators) == 10**12
