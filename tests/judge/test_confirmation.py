"""A red that hangs on times alone stands only where a fresh process sees the same."""

import pytest

from pytest_xeonperf.judge.confirmation import confirmed, incomplete, needs_confirmation
from pytest_xeonperf.records import Expectation, Outcome, Unknown, Verdict


def verdict(outcome, *broken, reason=None, undecided=()):
    """A verdict with these promises broken, these undecided, and one of the fidelity held."""
    promises = [
        Expectation(name=name, required="2.00x", found="1.20x", held=False, isa="generic")
        for name in (*broken, *undecided)
    ]
    held = Expectation(name="min_fidelity", required="0.999", found="1.0", held=True, isa="generic")
    told = "; ".join(f"{name}: 1.20x, required 2.00x" for name in broken)
    return Verdict(
        outcome=outcome, reason=told if reason is None else reason, floor_ratio=2.0, expectations=(*promises, held)
    )


@pytest.mark.parametrize(
    ("outcome", "broken", "needed"),
    [
        (Outcome.BELOW_FLOOR, ("min_speedup",), True),
        (Outcome.BELOW_FLOOR, ("max_latency", "min_roofline", "max_speedup"), True),
        (Outcome.TOO_FAST, ("max_speedup",), True),
        (Outcome.TOO_FAST, ("believable",), True),
        (Outcome.BELOW_FLOOR, ("max_memory",), False),
        (Outcome.BELOW_FLOOR, ("min_speedup", "max_memory"), False),
        (Outcome.FIDELITY_FAILED, ("min_fidelity", "min_speedup"), False),
        (Outcome.INCONCLUSIVE, ("min_speedup",), False),
        (Outcome.PASS, (), False),
    ],
)
def test_only_a_red_for_times_alone_needs_a_second_look(outcome, broken, needed):
    assert needs_confirmation(verdict(outcome, *broken)) is needed


def test_what_is_merely_undecided_beside_it_hinders_no_second_look():
    assert needs_confirmation(verdict(Outcome.BELOW_FLOOR, "min_speedup", undecided=("max_memory",)))


RED = verdict(Outcome.BELOW_FLOOR, "min_speedup")


def test_one_promise_that_two_processes_break_is_broken():
    found = confirmed(RED, RED)
    assert found.outcome is Outcome.BELOW_FLOOR
    assert found.reason == f"{RED.reason}; in a fresh process too: {RED.reason}"
    assert found.expectations == RED.expectations


def test_something_worse_in_the_second_process_is_what_it_is():
    worse = verdict(Outcome.FIDELITY_FAILED, "min_fidelity(cosine)")
    found = confirmed(RED, worse)
    assert found.outcome is Outcome.FIDELITY_FAILED
    assert found.reason == f"{RED.reason}; in a fresh process: {worse.reason}"


@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        (RED, Outcome.INCONCLUSIVE),
        (verdict(Outcome.PASS), Outcome.INCONCLUSIVE),
        (verdict(Outcome.BELOW_FLOOR, "max_memory"), Outcome.BELOW_FLOOR),
        (verdict(Outcome.FIDELITY_FAILED, "min_fidelity(cosine)"), Outcome.FIDELITY_FAILED),
    ],
)
def test_with_a_process_missing_only_what_no_process_could_change_is_red(first, outcome):
    assert incomplete(first, "process 2 of 2 has no pairs").outcome is outcome


@pytest.mark.parametrize(
    ("again", "told"),
    [
        (Unknown(reason="it died of SIGKILL"), "no fresh process could confirm it: it died of SIGKILL"),
        (
            verdict(Outcome.CRASHED, reason="can't allocate memory"),
            "no fresh process could confirm it: can't allocate memory",
        ),
        (
            verdict(Outcome.PASS, "min_speedup", reason=""),
            "not confirmed in a fresh process (PASS: min_speedup: 1.20x)",
        ),
        (verdict(Outcome.PASS, reason=""), "not confirmed in a fresh process (PASS)"),
        (
            verdict(Outcome.INCONCLUSIVE, reason="undecided"),
            "not confirmed in a fresh process (INCONCLUSIVE: undecided)",
        ),
    ],
    ids=["none", "crashed", "green", "green without figures", "undecided"],
)
def test_one_red_is_neither_red_nor_green(again, told):
    found = confirmed(RED, again)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.reason == f"{RED.reason}; {told}"
