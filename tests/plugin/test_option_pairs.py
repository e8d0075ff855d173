SUITE = """
import pytest

@pytest.mark.variant(dtype="fp32", attention="plain")
@pytest.mark.min_speedup(1.0)
def test_of_the_baseline_s_own_speed(xeonperf, variant):
    xeonperf.check(variant)
"""


def test_a_case_gets_no_fewer_and_no_more_pairs_than_it_is_given(suite, run):
    base = ("--xeonperf", "--xeonperf-threads=1", "--xeonperf-report=off", "--xeonperf-preset=quick")
    # a variant against itself stays open with hardly any chance of error
    session = run(suite({"test_it.py": SUITE}), "--xeonperf-pairs=9:11", "--xeonperf-alpha=0.000001", base=base)
    result = session.results["test_of_the_baseline_s_own_speed"]
    assert len(result.measurement.samples) == 11
    assert dict(session.runs[-1].options)["max_pairs"] == "11"
