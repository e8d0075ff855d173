"""A measurement in perfect order; a test says what is different."""

from dataclasses import replace

import pytest

from pytest_xeonperf.judge.betting import estimate, log_ratios
from pytest_xeonperf.records import (
    Bound,
    Case,
    Evidence,
    Measurement,
    Metric,
    Roofline,
    Sample,
    Score,
    Unknown,
)

CASE = Case(
    workload="tiny", phase="forward", preset="quick", variant="compiled_bf16", metric=Metric.LATENCY, over="eager_fp32"
)
EVIDENCE = Evidence(
    compile_ns=1_000_000,
    graph_breaks=0,
    first_break="",
    recompiles=0,
    kernels=("aten::addmm", "mkldnn::_linear_pointwise"),
    weight_bytes=1 << 20,
    peak_rss_bytes=Unknown(reason="not weighed"),
    left_in_bf16=(),
)


def _pairs(*ratios):
    return tuple(
        Sample(
            process=0,
            round_index=index,
            baseline_ns=round(ratio * 1_000_000),
            candidate_ns=1_000_000,
            baseline_position=0,
            candidate_position=1,
        )
        for index, ratio in enumerate(ratios)
    )


def _measured(*ratios, evidence=None, roofline=0.5, fidelity=(("cosine", 0.9999),), **changes):
    samples = _pairs(*(ratios or (3.0,) * 8))
    whole = Measurement(
        case=CASE,
        item="call",
        items_per_call=1,
        samples=samples,
        voided_rounds=0,
        contention=Unknown(reason="not counted here"),
        seed=1,
        speedup=estimate(log_ratios(samples), alpha=0.05),
        baseline_median_ns=3_000_000,
        candidate_median_ns=1_000_000,
        fidelity=tuple(Score(name=name, value=value) for name, value in fidelity),
        roofline=roofline
        if isinstance(roofline, Unknown)
        else Roofline(fraction=roofline, bound=Bound.COMPUTE, flop=1, weight_bytes=1),
        evidence=replace(EVIDENCE, **(evidence or {})),
    )
    return replace(whole, **changes)


@pytest.fixture
def pairs():
    """Makes samples from ratios: the candidate always takes a millisecond."""
    return _pairs


@pytest.fixture
def measured():
    """Makes a measurement: eight pairs at 3.0 unless ratios are given; fields and fields of the evidence by name."""
    return _measured


@pytest.fixture(scope="session")
def any_measured():
    """The same, for properties, which want no fixture that is made anew for each test."""
    return _measured
