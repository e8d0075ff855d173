"""A red that hangs on times alone stands only where a fresh process sees the same."""

import pytest

from pytest_xeonperf.judge.confirmation import confirmed, needs_confirmation
from pytest_xeonperf.records import Expectation, Outcome, Unknown, Verdict


def verdict(outcome, *broken, reason="min_speedup: 1.20x, required 2.00x"):
    """A verdict with these promises broken and one of the fidelity held."""
    promises = [Expectation(name=name, required="", found="1.20x", held=False, isa="generic") for name in broken]
    held = Expectation(name="min_fidelity", required="0.999", found="1.0", held=True, isa="generic")
    return Verdict(outcome=outcome, reason=reason, floor_ratio=2.0, expectations=(*promises, held))


@pytest.mark.parametrize(
    ("outcome", "broken", "needed"),
    [
        (Outcome.BELOW_FLOOR, ("min_speedup",), True),
        (Outcome.BELOW_FLOOR, ("max_latency", "min_roofline", "max_speedup"), True),
        (Outcome.BELOW_FLOOR, ("max_memory",), False),
        (Outcome.BELOW_FLOOR, ("min_speedup", "max_memory"), False),
        (Outcome.FIDELITY_FAILED, ("min_fidelity", "min_speedup"), False),
        (Outcome.INCONCLUSIVE, ("min_speedup",), False),
        (Outcome.PASS, (), False),
    ],
)
def test_only_a_red_for_times_alone_needs_a_second_look(outcome, broken, needed):
    assert needs_confirmation(verdict(outcome, *broken)) is needed


RED = verdict(Outcome.BELOW_FLOOR, "min_speedup")


@pytest.mark.parametrize("again", [RED, verdict(Outcome.CRASHED, reason="died of SIGSEGV")])
def test_two_reds_are_red_and_both_are_told(again):
    found = confirmed(RED, again)
    assert found.outcome is Outcome.BELOW_FLOOR
    assert found.reason == f"{RED.reason}; in a fresh process too: {again.reason}"
    assert found.expectations == RED.expectations


@pytest.mark.parametrize(
    ("again", "told"),
    [
        (Unknown(reason="it died of SIGKILL"), "no fresh process could confirm it: it died of SIGKILL"),
        (
            verdict(Outcome.PASS, "min_speedup", reason=""),
            "not confirmed in a fresh process (PASS: min_speedup: 1.20x)",
        ),
        (
            verdict(Outcome.INCONCLUSIVE, reason="undecided"),
            "not confirmed in a fresh process (INCONCLUSIVE: undecided)",
        ),
    ],
    ids=["none", "green", "undecided"],
)
def test_one_red_is_neither_red_nor_green(again, told):
    found = confirmed(RED, again)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason == f"{RED.reason}; {told}"
