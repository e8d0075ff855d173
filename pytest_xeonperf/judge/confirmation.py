"""Reds that hang on times are looked at twice: they stand only where a fresh process sees the same.

What one process draws once (where its memory lies, which cores it is on) stays with it for all of its rounds, so that
no number of rounds tells it from the code. Two processes that both fail a promise by that alone are rare.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.verdict import told
from pytest_xeonperf.records import Outcome, Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.records import Verdict

_TIMED = frozenset({"min_speedup", "max_speedup", "max_latency", "min_roofline", "believable"})


def needs_confirmation(verdict: Verdict) -> bool:
    """Whether a verdict is red for its times alone: a wrong answer or too much memory is no matter of luck."""
    red = _red_promises(verdict)
    return verdict.outcome in {Outcome.BELOW_FLOOR, Outcome.TOO_FAST} and bool(red) and red <= _TIMED


def confirmed(first: Verdict, again: Verdict | Unknown) -> Verdict:
    """What two looks come to: red if both see a promise broken, or the second sees something worse; never green.

    Args:
        first: The red one.
        again: That of a fresh process, or why there is none.
    """
    if isinstance(again, Unknown):
        return _open(first, f"no fresh process could confirm it: {again.reason}")
    if again.outcome is Outcome.CRASHED:  # which lack of memory beside the first process may do
        return _open(first, f"no fresh process could confirm it: {again.reason}")
    if _red_promises(first) & _red_promises(again):
        return replace(first, reason=f"{first.reason}; in a fresh process too: {again.reason}")
    if again.outcome.red:
        return replace(again, reason=f"{first.reason}; in a fresh process: {again.reason}")
    seen = again.reason or "; ".join(f"{each.name}: {each.found}" for each in again.expectations if each.name in _TIMED)
    said = f"{again.outcome}: {seen}" if seen else again.outcome
    return _open(first, f"not confirmed in a fresh process ({said})")


def incomplete(verdict: Verdict, why: str) -> Verdict:
    """A verdict from fewer processes than were asked for: red for more than its times stays, all else is open."""
    if verdict.outcome.red and not needs_confirmation(verdict):
        return verdict
    return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason=why)


def _red_promises(verdict: Verdict) -> frozenset[str]:
    """Names of the promises that a red verdict is red for; others may be merely undecided."""
    if not verdict.outcome.red:
        return frozenset()
    return frozenset(each.name for each in verdict.expectations if not each.held and told(each) in verdict.reason)


def _open(first: Verdict, why: str) -> Verdict:
    return replace(first, outcome=Outcome.INCONCLUSIVE, reason=f"{first.reason}; {why}")
