"""What more pairs would bring, and what would have been seen with those that there are."""

from dataclasses import replace
from math import log

import pytest

from pytest_xeonperf.judge.betting import decide
from pytest_xeonperf.judge.outlook import median_round_ns, rates_line, round_ns, seen_below, would_do
from pytest_xeonperf.records import (
    Contention,
    Expectation,
    Outcome,
    Result,
    Timing,
    Unknown,
    Verdict,
)

NOBODY_KNOWS = Unknown(reason="nobody knows")
SECONDS = Contention(elapsed_ns=40_000_000_000, cores=2, stolen_ns=0, others_ns=0, throttled_ns=0)


@pytest.fixture
def result(measured):
    """Makes the result of a floor: the ratios of its pairs, and what it came to."""

    def make(*ratios, outcome=Outcome.PASS, floor_ratio=2.5, **changes):
        found = measured(*ratios)
        verdict = Verdict(outcome=outcome, reason="", floor_ratio=floor_ratio, expectations=())
        whole = Result(
            node_id="test_a", location="a.py:1", case=found.case, measured_at="", measurement=found, verdict=verdict
        )
        return replace(whole, **changes)

    return make


def test_the_budget_is_given_in_pairs_in_seconds_and_as_options():
    assert would_do(60, 1_510_000_000.0) == (
        "about 60 would do, 90.6 s of rounds: --xeonperf-pairs 6:60, and a --xeonperf-budget from 91 on"
    )


def test_where_nobody_knows_how_long_a_round_takes_there_are_pairs_alone():
    assert would_do(60, NOBODY_KNOWS) == "about 60 would do: --xeonperf-pairs 6:60"
    assert would_do(Unknown(reason="more than 400 would be needed"), 1.0) == "more than 400 would be needed"


def test_a_round_takes_what_all_of_them_took_together():
    assert round_ns(SECONDS, 20) == 2e9
    assert round_ns(NOBODY_KNOWS, 20) == NOBODY_KNOWS
    assert isinstance(round_ns(SECONDS, 0), Unknown)


def test_of_a_ladder_it_is_at_least_what_the_two_calls_take(measured):
    assert median_round_ns(measured(*[3.0] * 8)) == 4e6  # of 3 ms and 1 ms; nobody read the counters
    assert median_round_ns(measured(*[3.0] * 8, contention=SECONDS)) == 5e9
    assert isinstance(median_round_ns(replace(measured(), samples=())), Unknown)


def test_a_ratio_below_what_is_excluded_would_have_been_seen(result):
    ratios = (3.0, 3.1, 2.9, 3.2, 3.05, 2.95, 3.15, 3.0)
    least = seen_below(result(*ratios))
    logs = [log(ratio) for ratio in ratios]
    assert least <= 3.0
    assert decide(logs, least * 0.999, pass_alpha=0.05, red_alpha=0.05).value == "above"
    assert decide(logs, least * 1.001, pass_alpha=0.05, red_alpha=0.05).value != "above"
    assert seen_below(result(*ratios, outcome=Outcome.INCONCLUSIVE)) == least


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"floor_ratio": Unknown(reason="no floor")}, "no floor"),
        ({"outcome": Outcome.BELOW_FLOOR}, "neither green nor undecided"),
        ({"measurement": Unknown(reason="it died")}, "it died"),
        ({"measurement": Timing(item="call", rounds=1, durations_ns=(1,), median_ns=1)}, "timed alone: "),
    ],
)
def test_where_there_is_nothing_to_see_it_says_why(result, changes, reason):
    assert seen_below(result(**changes)).reason.startswith(reason)


def test_too_few_pairs_bound_nothing_and_a_bad_clock_is_no_figure(result):
    assert seen_below(result(3.0, 3.0)).reason == "too few pairs to bound the speed-up"
    found = result()
    backwards = tuple(replace(each, candidate_ns=0) for each in found.measurement.samples)
    broken = replace(found, measurement=replace(found.measurement, samples=backwards))
    assert "clock" in seen_below(broken).reason


FLOOR = Expectation(name="min_speedup", required="2.50x", found="3.00x", held=True, isa="generic")


@pytest.fixture
def run(result):
    """What `rates_line` reads of a run: its options, and cases with a floor and without."""

    class Run:
        def __init__(self, alpha, floors, without=0):
            self.options = (("preset", "quick"), *((("alpha", alpha),) if alpha else ()))
            plain = result()
            held = replace(plain, verdict=replace(plain.verdict, expectations=(FLOOR,)))
            self.results = (held,) * floors + (plain,) * without

    return Run


def test_the_error_rates_of_a_run_are_one_line_over_the_cases_with_a_floor(run):
    assert rates_line(run("0.05", 37, without=3)) == (
        "Error rates: any undeserved red, 5 % over all 37 cases that promise speed; an undeserved pass, 5 % for each."
    )
    assert "5 % over its one case" in rates_line(run("0.05", 1))


@pytest.mark.parametrize(("alpha", "floors"), [("0.05", 0), ("", 3), ("soon", 3), ("nan", 3), ("7", 3)])
def test_without_floors_or_a_rate_there_is_none(run, alpha, floors):
    assert rates_line(run(alpha, floors)) == ""
