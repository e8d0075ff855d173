from dataclasses import replace

import pytest

from pytest_xeonperf.judge.carryover import OrderEffect
from pytest_xeonperf.records import NOT_RECORDED, Bound, Estimate, Roofline, Unknown
from pytest_xeonperf.report.evidence import measured, share_of_limit

NO_ORDER = Unknown(reason="too few pairs")


def test_a_case_shows_both_sides_for_one_item_and_the_rate(make):
    shown = measured(make.measurement(), 2.91, NO_ORDER)
    assert (shown.speedup, shown.interval) == ("3.95x", "[3.89, 4.01]")
    assert (shown.candidate, shown.baseline) == ("405 ms", "1.60 s")
    assert shown.rate == "2.47 image/s"


def test_every_pair_is_in_the_table_as_it_is_in_the_plot(make):
    shown = measured(make.measurement(), 2.91, NO_ORDER)
    assert len(shown.pairs) == len(shown.strip.dots) == 9
    assert (shown.pairs[0].ratio, shown.pairs[0].order) == ("3.92x", "baseline")
    assert shown.pairs[1].order == "candidate"


def test_peak_memory_that_is_unknown_says_why(make):
    evidence = make.evidence(
        peak_rss_bytes=Unknown(reason="the fresh process was killed"), graph_breaks=2, first_break="numpy"
    )
    facts = {fact.name: fact for fact in measured(make.measurement(evidence=evidence), 2.91, NO_ORDER).evidence}
    assert facts["peak memory"].note == "the fresh process was killed"
    assert (facts["graph breaks"].value, facts["graph breaks"].note) == ("2", "numpy")


def test_operators_are_shown_by_their_share_of_a_timed_call(make):
    evidence = make.evidence(operators=make.operators(mm=3000, gelu=1000))
    rows = measured(make.measurement(evidence=evidence, items_per_call=2), 2.91, NO_ORDER).operators
    assert [(row.name, row.share, row.duration, row.calls) for row in rows] == [
        ("mm", "75 %", "608 ms", "1"),
        ("gelu", "25 %", "203 ms", "1"),
    ]


def test_operators_that_were_not_recorded_say_so(make):
    assert measured(make.measurement(), 2.91, NO_ORDER).operators == NOT_RECORDED


def test_a_share_of_a_limit_names_the_limit():
    decode = Roofline(fraction=0.5, bound=Bound.BANDWIDTH, flop=1, weight_bytes=1)
    assert (share_of_limit(decode).value, share_of_limit(decode).note) == ("50 %", "of bandwidth")


def test_how_it_was_measured_names_the_confidence_and_the_voided_rounds(make):
    speedup = Estimate(ratio=3.95, low_ratio=3.9, high_ratio=4.0, confidence=0.99)
    method = {fact.name: fact for fact in measured(make.measurement(speedup=speedup), 2.91, NO_ORDER).method}
    assert method["estimate"].note.endswith("99 %")
    assert (method["shared"].value, method["shared"].note) == (
        "1 % stolen, 2 % others'",
        "of the cores' time; not throttled",
    )
    assert (method["pairs"].value, method["pairs"].note) == ("9", "1 round voided by the canary")


@pytest.mark.parametrize(
    ("disturbed", "more"),
    [(0, ""), (NOT_RECORDED, ""), (2, ", 2 kept although the machine was disturbed: the time for others was spent")],
)
def test_disturbed_rounds_that_were_kept_are_told_where_there_are_any(make, disturbed, more):
    method = measured(make.measurement(disturbed_rounds=disturbed), 2.91, NO_ORDER).method
    (pairs,) = (fact for fact in method if fact.name == "pairs")
    assert pairs.note == f"1 round voided by the canary{more}"


def order_of(make, order):
    """The line about the order, and what is said about carry-over beside the verdict."""
    shown = measured(make.measurement(), 2.91, order)
    return [
        f"{fact.name}: {fact.value}, {fact.note}" for fact in shown.method if fact.name == "order"
    ], shown.carry_over


def test_what_the_order_did_stands_with_the_method_and_carry_over_beside_the_verdict_too(make):
    none = OrderEffect(
        baseline_first_ratio=4.31,
        candidate_first_ratio=4.28,
        baseline_first_pairs=9,
        candidate_first_pairs=11,
        p_value=0.6249,
        seen=False,
    )
    words = "4.31x when the baseline ran first, 4.28x when the candidate did"
    assert order_of(make, none) == ([f"order: {words}, no carry-over seen (p = 0.62)"], "")
    seen = replace(none, p_value=0.0003, seen=True)
    assert order_of(make, seen) == ([f"order: {words}, carry-over (p = 0.0003)"], words)
    assert order_of(make, NO_ORDER) == ([], "")


def test_with_several_processes_the_estimate_and_the_pairs_say_so(make):
    one = make.measurement()
    samples = (*one.samples, *(replace(sample, process=1) for sample in one.samples))
    method = {fact.name: fact for fact in measured(make.measurement(samples=samples), 2.91, NO_ORDER).method}
    assert method["estimate"].note.startswith("mean over processes of their median of paired log-ratios")
    assert (method["pairs"].value, method["pairs"].note) == ("18", "in 2 processes; 1 round voided by the canary")
    assert "mean" not in {fact.name: fact for fact in measured(one, 2.91, NO_ORDER).method}["estimate"].note
