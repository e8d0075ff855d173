"""The verdict for what was timed alone: there is no ratio to bet on, only a ceiling for the median."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.verdict import Speed
from pytest_xeonperf.records import Expectation, Isa, Outcome, Unknown, Verdict
from pytest_xeonperf.units import show_ns

if TYPE_CHECKING:
    from pytest_xeonperf.records import Timing


def judge_timing(timing: Timing | Unknown, max_latency_ns: float, *, speed: Speed) -> Verdict:
    """The verdict for one timing, as `judge` gives it for a measurement.

    Args:
        timing: What was timed; unknown where the test timed nothing, which is not green if it promised a latency.
        max_latency_ns: For one call; infinite if none is promised.
        speed: Whether latencies are judged.
    """
    if speed is Speed.IGNORED:
        return _verdict(Outcome.PASS, "speed is not judged at this preset")
    if isinf(max_latency_ns):
        return _verdict(Outcome.PASS, "")
    found = timing.reason if isinstance(timing, Unknown) else show_ns(timing.median_ns)
    held = not isinstance(timing, Unknown) and timing.median_ns <= max_latency_ns
    check = Expectation(
        name="max_latency",
        required=f"at most {show_ns(max_latency_ns)}",
        found=found,
        held=held,
        isa=Isa.GENERIC.value,
    )
    if held:
        return _verdict(Outcome.PASS, "", check)
    outcome = Outcome.INCONCLUSIVE if isinstance(timing, Unknown) else Outcome.BELOW_FLOOR
    return _verdict(outcome, f"{check.name}: {check.found}, required {check.required}", check)


def _verdict(outcome: Outcome, reason: str, *checks: Expectation) -> Verdict:
    nothing = Unknown(reason="timed alone: no floor applies")
    return Verdict(outcome=outcome, reason=reason, floor_ratio=nothing, expectations=checks)
