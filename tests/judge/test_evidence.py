"""What of the evidence changed."""

from dataclasses import replace

import pytest

from pytest_xeonperf.judge.evidence import Figure, FigureShift, figure_shifts
from pytest_xeonperf.records import Unknown


@pytest.fixture
def evidence(measured):
    """Evidence whose peak of memory is known."""
    return replace(measured().evidence, peak_rss_bytes=1000)


def changed(evidence, **changes):
    return [shift.figure for shift in figure_shifts(evidence, replace(evidence, **changes), tolerance=0.05)]


def test_a_graph_that_breaks_now_is_told_with_its_reason(evidence):
    after = replace(evidence, graph_breaks=2, first_break="numpy")
    assert figure_shifts(evidence, after, tolerance=0.05) == (
        FigureShift(figure=Figure.GRAPH_BREAKS, before=0, after=2, reason="numpy"),
    )


def test_the_same_evidence_has_not_changed(evidence):
    assert changed(evidence) == []


@pytest.mark.parametrize(("after_bytes", "told"), [(1049, []), (1060, [Figure.PEAK_RSS]), (940, [Figure.PEAK_RSS])])
def test_a_peak_of_memory_has_changed_beyond_the_tolerance(evidence, after_bytes, told):
    assert changed(evidence, peak_rss_bytes=after_bytes) == told


def test_a_peak_of_nothing_is_a_change_and_one_that_is_unknown_is_none(evidence):
    assert changed(replace(evidence, peak_rss_bytes=0)) == []
    assert changed(replace(evidence, peak_rss_bytes=0), peak_rss_bytes=9) == [Figure.PEAK_RSS]
    assert changed(evidence, peak_rss_bytes=Unknown(reason="killed")) == []


def test_weights_and_recompiles_count_exactly(evidence):
    assert changed(evidence, weight_bytes=evidence.weight_bytes + 1, recompiles=1) == [
        Figure.WEIGHTS, Figure.RECOMPILES,
    ]  # fmt: skip
