"""What more pairs would bring and how long they take, and what would have been seen with those that there are."""

from __future__ import annotations

from math import ceil, exp
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.betting import FEWEST_PAIRS
from pytest_xeonperf.judge.processes import least_log, logs_by_process
from pytest_xeonperf.records import Contention, Measurement, Outcome, Unknown
from pytest_xeonperf.units import show_ns, show_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Result, Run

_BY_PAIRS = frozenset({"min_speedup", "max_speedup", "max_latency", "min_roofline"})
"""Promises that are judged by pairs or by calls, at the run's error rates."""
_JUDGED_BY_PAIRS = frozenset({Outcome.PASS, Outcome.INCONCLUSIVE})


def would_do(pairs: int | Unknown, round_ns: float | Unknown) -> str:
    """How many pairs in all would probably decide, how long they take, and with which options.

    Args:
        pairs: As `betting.pairs_to_decide` has it.
        round_ns: Time of a round, where somebody knows it.
    """
    if isinstance(pairs, Unknown):
        return pairs.reason
    options = f"--xeonperf-pairs {FEWEST_PAIRS}:{pairs}"
    if isinstance(round_ns, Unknown):
        return f"about {pairs} would do: {options}"
    needed_ns = pairs * round_ns
    budget_s = max(1, ceil(needed_ns / 1e9))
    return (
        f"about {pairs} would do, {show_ns(needed_ns)} of rounds: {options}, and a --xeonperf-budget from {budget_s} on"
    )


def round_ns(contention: Contention | Unknown, rounds: int) -> float | Unknown:
    """Time of a round as they came one after another, with all that ran in it.

    Args:
        contention: Around the rounds, which knows how long they took together.
        rounds: All that there were, voided ones included.
    """
    if isinstance(contention, Unknown):
        return contention
    return contention.elapsed_ns / rounds if rounds else Unknown(reason="there were no rounds")


def median_round_ns(measurement: Measurement) -> float | Unknown:
    """The same of a ladder: from what was read around it, or else the median time of the case's own two calls."""
    samples = measurement.samples
    if not samples:
        return Unknown(reason="there are no pairs")
    own_ns = float(median(sample.baseline_ns + sample.candidate_ns for sample in samples))
    whole = round_ns(measurement.contention, 1 + max(sample.round_index for sample in samples))
    return own_ns if isinstance(whole, Unknown) else max(own_ns, whole)


def seen_below(result: Result) -> float | Unknown:
    """Of a floor that held or is undecided: a speed-up below this one would have been seen.

    The chance that one is not is that of a pass which is not deserved, for this case alone.
    """
    measured, verdict = result.measurement, result.verdict
    if not isinstance(measured, Measurement):
        return measured if isinstance(measured, Unknown) else Unknown(reason="timed alone: only its latency is known")
    if isinstance(verdict.floor_ratio, Unknown):
        return verdict.floor_ratio
    if verdict.outcome not in _JUDGED_BY_PAIRS:
        return Unknown(reason="neither green nor undecided")
    try:
        logs = logs_by_process(measured.samples)
    except DataError as error:
        return Unknown(reason=str(error))
    least = least_ratio_of(logs, alpha=round(1 - measured.speedup.confidence, 12))
    return least if least > 0 else Unknown(reason="too few pairs to bound the speed-up")


def least_ratio_of(groups: Sequence[Sequence[float]], *, alpha: float) -> float:
    """The largest ratio that the true one is above, with a chance of error of `alpha`; 0 where nothing bounds it."""
    return exp(least_log(groups, alpha=alpha))


def rates_line(run: Run) -> str:
    """How often verdicts on times are wrong, in one line; empty where none was judged by its times.

    As `verdict.levels` shares the chance of an undeserved red among the promises on times.
    """
    judged = (each for each in run.results if isinstance(each.measurement, Measurement))
    cases = sum(any(check.name in _BY_PAIRS for check in each.verdict.expectations) for each in judged)
    try:
        alpha = float(dict(run.options).get("alpha", "nan"))
    except ValueError:  # of somebody else's making: options are text
        return ""
    if not (0 < alpha < 1 and cases):
        return ""
    share, over = show_share(alpha), f"all {cases} cases that promise speed" if cases > 1 else "its one case"
    return f"Error rates: any undeserved red, {share} over {over}; an undeserved pass, {share} for each."
