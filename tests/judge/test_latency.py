from dataclasses import replace
from random import Random

import pytest

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.betting import Decision
from pytest_xeonperf.judge.expectations import Promises, Threshold
from pytest_xeonperf.judge.latency import decide_ceiling
from pytest_xeonperf.judge.verdict import Levels, Speed, judge, settled
from pytest_xeonperf.records import Isa, Outcome

RATES = Levels(pass_alpha=0.05, red_alpha=0.05)
MS = 1_000_000


@pytest.fixture
def calls(pairs):
    """Makes samples whose candidate takes these times."""

    def make(*times_ns, process=0):
        return tuple(
            replace(sample, candidate_ns=time_ns, process=process)
            for sample, time_ns in zip(pairs(*(3.0,) * len(times_ns)), times_ns, strict=True)
        )

    return make


@pytest.fixture
def judged(measured, calls):
    """Judges calls of these times, for one item each unless more are given."""

    def judge_it(promises, *times_ns, **changes):
        found = measured(samples=calls(*times_ns), **changes)
        return judge(found, promises, isa=Isa.AMX_BF16, rates=RATES, speed=Speed.JUDGED)

    return judge_it


def test_calls_on_one_side_decide_and_calls_on_both_do_not(calls):
    assert decide_ceiling(calls(*(9 * MS,) * 6), 10 * MS, RATES) is Decision.ABOVE
    assert decide_ceiling(calls(*(11 * MS,) * 6), 10 * MS, RATES) is Decision.BELOW
    assert decide_ceiling(calls(*(9 * MS, 11 * MS) * 3), 10 * MS, RATES) is Decision.OPEN


def test_a_case_on_its_ceiling_is_seldom_called_anything_however_often_one_looks(calls):
    drawn = Random(20_261_127)
    passed = red = 0
    for _ in range(400):
        times_ns: list[int] = []
        decision = Decision.OPEN
        while decision is Decision.OPEN and len(times_ns) < 40:
            times_ns.append(round(10 * MS * drawn.lognormvariate(0, 0.01)))
            decision = decide_ceiling(calls(*times_ns), 10 * MS, RATES) if len(times_ns) >= 6 else Decision.OPEN
        passed += decision is Decision.ABOVE
        red += decision is Decision.BELOW
    assert passed <= 0.05 * 400
    assert red <= 0.05 * 400


def test_several_processes_are_one_observation_each(calls):
    def decided(*medians):
        samples = [sample for process, ns in enumerate(medians) for sample in calls(*(ns,) * 6, process=process)]
        return decide_ceiling(samples, 10 * MS, RATES)

    assert decided(9 * MS, 9 * MS + 1000, 9 * MS - 1000) is Decision.ABOVE
    assert decided(9 * MS, 11 * MS, 9 * MS) is Decision.OPEN


def test_a_call_that_took_no_time_is_the_clock_s_fault(calls):
    with pytest.raises(DataError, match="clock that went backwards"):
        decide_ceiling(calls(9 * MS, 0), 10 * MS, RATES)


def test_around_its_ceiling_a_latency_is_undecided_and_says_after_how_many_calls(judged):
    verdict = judged(Promises(max_latency_ns=10 * MS), *(9 * MS, 11 * MS) * 4, candidate_median_ns=10 * MS)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reason == "max_latency: 10.0 ms after 8 calls, undecided, required at most 10.0 ms"


def test_a_latency_is_promised_for_one_item_of_a_call(judged):
    promises = Promises(max_latency_ns=1.1 * MS)
    found = {"items_per_call": 10, "candidate_median_ns": 1 * MS}
    assert judged(promises, *(10 * MS,) * 8, **found).outcome is Outcome.PASS
    assert judged(promises, *(12 * MS,) * 8, **found).outcome is Outcome.BELOW_FLOOR


def test_a_share_of_the_limit_is_decided_by_the_same_calls(judged):
    around = (9 * MS, 11 * MS) * 4
    found = {"candidate_median_ns": 10 * MS, "roofline": 0.5}
    assert judged(Promises(min_roofline=0.5), *around, **found).outcome is Outcome.INCONCLUSIVE
    assert judged(Promises(min_roofline=0.4), *around, **found).outcome is Outcome.PASS
    assert judged(Promises(min_roofline=0.6), *around, **found).outcome is Outcome.BELOW_FLOOR


def test_a_case_goes_on_until_its_latency_is_decided(calls):
    floor = (Threshold(ratio=0.01),)
    promises = Promises(floors=floor, max_latency_ns=10 * MS)
    around, below = calls(*(9 * MS, 11 * MS) * 4), calls(*(9 * MS,) * 8)
    assert not settled(around, promises, Isa.AVX2, RATES, items_per_call=1)
    assert settled(below, promises, Isa.AVX2, RATES, items_per_call=1)
    assert settled(around, Promises(floors=floor), Isa.AVX2, RATES, items_per_call=1)


def test_every_promise_on_times_counts_for_the_rate_of_the_whole_run():
    floors = (Threshold(ratio=2.0), Threshold(ratio=1.5, isa=Isa.AVX2))
    assert Promises().timed == 0
    assert Promises(floors=floors, ceilings=(Threshold(ratio=9.0),), max_latency_ns=1.0, min_roofline=0.1).timed == 4


@pytest.mark.parametrize("timed", [1, 4, 40])
def test_a_case_that_promises_a_share_of_the_limit_stays_until_a_clear_one_is_decided(judged, calls, timed):
    """Also with two calls on the wrong side, whose share of the limit nobody knows before the rounds are over."""
    promises, rates = Promises(min_roofline=0.9), Levels(pass_alpha=0.05, red_alpha=0.05 / timed)
    times_ns = [9 * MS, 9 * MS]
    while not settled(calls(*times_ns), promises, Isa.AVX2, rates, items_per_call=1):
        times_ns.append(100 * MS)
    assert 8 <= len(times_ns) <= 40
    assert decide_ceiling(calls(*times_ns), 10 * MS, rates) is Decision.BELOW
    assert settled(calls(*times_ns[:6]), Promises(), Isa.AVX2, rates, items_per_call=1)
