import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.records import Limits, Outcome


def test_the_interval_is_that_of_the_chance_of_error(quick_session):
    speedup = quick_session.results["test_clear"].measurement.speedup
    assert speedup.confidence == pytest.approx(0.8)
    assert speedup.low_ratio > 0


def test_clear_cases_are_decided_in_the_fewest_rounds(quick_session):
    assert quick_session.results["test_clear"].verdict.outcome is Outcome.PASS
    assert quick_session.results["test_hopeless"].verdict.outcome is Outcome.BELOW_FLOOR
    assert quick_session.code == ExitCode.RED


def test_it_is_recorded(quick_session):
    assert dict(quick_session.runs[-1].options)["alpha"] == "0.2"


def test_beyond_smoke_limits_are_measured_and_every_variant_is_weighed(quick_session):
    assert isinstance(quick_session.runs[-1].machine.limits, Limits)
    assert isinstance(quick_session.results["test_clear"].measurement.evidence.peak_rss_bytes, int)
    quick_session.lines.fnmatch_lines(["limits: read *B/s, FP32 *FLOP/s*"])
