from pytest_xeonperf.records import Bound, Estimate, Roofline, Unknown
from pytest_xeonperf.report.evidence import measured, share_of_limit


def test_a_case_shows_both_sides_for_one_item_and_the_rate(make):
    shown = measured(make.measurement(), 2.91)
    assert (shown.speedup, shown.interval) == ("3.95x", "[3.89, 4.01]")
    assert (shown.candidate, shown.baseline) == ("405 ms", "1.60 s")
    assert shown.rate == "2.47 image/s"


def test_every_pair_is_in_the_table_as_it_is_in_the_plot(make):
    shown = measured(make.measurement(), 2.91)
    assert len(shown.pairs) == len(shown.strip.dots) == 9
    assert (shown.pairs[0].ratio, shown.pairs[0].order) == ("3.92x", "baseline")
    assert shown.pairs[1].order == "candidate"


def test_peak_memory_that_is_unknown_says_why(make):
    evidence = make.evidence(
        peak_rss_bytes=Unknown(reason="the fresh process was killed"), graph_breaks=2, first_break="numpy"
    )
    facts = {fact.name: fact for fact in measured(make.measurement(evidence=evidence), 2.91).evidence}
    assert facts["peak memory"].note == "the fresh process was killed"
    assert (facts["graph breaks"].value, facts["graph breaks"].note) == ("2", "numpy")


def test_a_share_of_a_limit_names_the_limit():
    decode = Roofline(fraction=0.5, bound=Bound.BANDWIDTH, flop=1, weight_bytes=1)
    assert (share_of_limit(decode).value, share_of_limit(decode).note) == ("50 %", "of bandwidth")


def test_how_it_was_measured_names_the_confidence_and_the_voided_rounds(make):
    speedup = Estimate(ratio=3.95, low_ratio=3.9, high_ratio=4.0, confidence=0.99)
    method = {fact.name: fact for fact in measured(make.measurement(speedup=speedup), 2.91).method}
    assert method["estimate"].note.endswith("99 %")
    assert (method["shared"].value, method["shared"].note) == (
        "1 % stolen, 2 % others'",
        "of the cores' time; not throttled",
    )
    assert (method["pairs"].value, method["pairs"].note) == ("9", "1 round voided by the canary")
