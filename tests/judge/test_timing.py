"""The verdict for what has no ratio."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.judge.timing import judge_timing
from pytest_xeonperf.judge.verdict import Speed
from pytest_xeonperf.records import Outcome, Timing, Unknown

NO_LIMIT = float("inf")


def timing(median_ns: int) -> Timing:
    return Timing(item="call", rounds=1, durations_ns=(median_ns,), median_ns=median_ns)


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_ceiling_is_held_up_to_and_including_itself(median_ns: int, ceiling_ns: int) -> None:
    verdict = judge_timing(timing(median_ns), ceiling_ns, speed=Speed.JUDGED)
    assert verdict.outcome is (Outcome.PASS if median_ns <= ceiling_ns else Outcome.BELOW_FLOOR)
    assert verdict.expectations[0].held is (median_ns <= ceiling_ns)


def test_a_broken_ceiling_says_what_was_found_and_what_was_asked() -> None:
    verdict = judge_timing(timing(6_100_000), 5_000_000, speed=Speed.JUDGED)
    assert verdict.reason == "max_latency: 6.10 ms, required at most 5.00 ms"


@pytest.mark.parametrize("found", [timing(10**12), Unknown(reason="benchmark was never called")])
def test_without_a_promise_nothing_is_wrong(found: Timing | Unknown) -> None:
    verdict = judge_timing(found, NO_LIMIT, speed=Speed.JUDGED)
    assert (verdict.outcome, verdict.expectations) == (Outcome.PASS, ())


def test_a_promise_about_what_was_never_timed_is_not_green() -> None:
    verdict = judge_timing(Unknown(reason="benchmark was never called"), 5_000_000, speed=Speed.JUDGED)
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "benchmark was never called" in verdict.reason


def test_where_speed_is_not_judged_a_ceiling_is_not_either() -> None:
    verdict = judge_timing(timing(10**12), 1, speed=Speed.IGNORED)
    assert (verdict.outcome, verdict.reason) == (Outcome.PASS, "speed is not judged at this preset")
