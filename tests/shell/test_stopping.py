import pytest

from pytest_xeonperf.judge.expectations import Promises, Threshold
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.records import Isa, Sample
from pytest_xeonperf.shell.stopping import Stopping

BASE_NS = 6000


def _times(candidate_ns, rounds=10):
    """Pairs with a baseline of 6000 ns, each a little different."""
    return [
        Sample(
            process=0,
            round_index=index,
            baseline_ns=BASE_NS + index % 3,
            candidate_ns=candidate_ns + index % 2,
            baseline_position=0,
            candidate_position=1,
        )
        for index in range(rounds)
    ]


@pytest.fixture
def rule():
    """Makes a stopping rule over eager FP32 from floors by candidate and baseline."""

    def make(**floors):
        promises = {
            tuple(pair.split("_over_")): [Promises(floors=(Threshold(ratio=ratio),)) for ratio in ratios]
            for pair, ratios in floors.items()
        }
        return Stopping(baseline="fp32", promises=promises, isa=Isa.AVX2, rates=levels(0.05, 1))

    return make


def test_a_variant_leaves_when_its_floor_is_decided_either_way(rule):
    stop = rule(int8_over_fp32=[2.0], int4_over_fp32=[9.0])
    samples = {"int8": _times(2000), "int4": _times(1500)}
    assert stop("int8", samples)
    assert stop("int4", samples)


def test_a_variant_at_its_floor_stays(rule):
    assert not rule(int8_over_fp32=[3.0])("int8", {"int8": _times(2000)})


def test_a_variant_stays_until_the_floors_of_all_its_tests_are_decided(rule):
    assert not rule(int8_over_fp32=[2.0, 3.0])("int8", {"int8": _times(2000)})


def test_a_variant_stays_until_it_is_decided_over_every_baseline(rule):
    samples = {"int4": _times(1000), "bf16": _times(4000)}  # six times, and four times
    assert rule(int4_over_fp32=[5.0], int4_over_bf16=[3.0])("int4", samples)
    assert not rule(int4_over_fp32=[5.0], int4_over_bf16=[4.0])("int4", samples)


def test_the_baseline_of_another_ladder_stays_as_long_as_anybody_needs_it(rule):
    samples = {"int4": _times(1000), "int8": _times(2000), "bf16": _times(4000)}
    assert not rule(bf16_over_fp32=[1.2], int4_over_bf16=[3.0], int8_over_bf16=[2.0])("bf16", samples)
    assert rule(bf16_over_fp32=[1.2], int4_over_bf16=[3.0], int8_over_bf16=[1.5])("bf16", samples)


@pytest.mark.parametrize("there", ["int4", "bf16"])
def test_nobody_waits_for_a_variant_that_is_not_in_the_rounds(rule, there):
    assert rule(int4_over_bf16=[4.0])(there, {there: _times(1000)})


@pytest.mark.parametrize(("limit_ns", "leaves"), [(250, True), (150, True), (200.05, False)])
def test_a_variant_at_its_ceiling_of_latency_stays(limit_ns, leaves):
    """Ten items a call of 2000 or 2001 ns."""
    promises = {("int8", "fp32"): [Promises(max_latency_ns=limit_ns)]}
    stop = Stopping(baseline="fp32", promises=promises, isa=Isa.AVX2, rates=levels(0.05, 1), items_per_call=10)
    assert stop("int8", {"int8": _times(2000)}) is leaves


def test_without_a_promise_the_fewest_rounds_are_enough(rule):
    assert rule()("int4", {"int4": _times(1000)})
