"""Runs to write and read: one that looks like life, and any that Hypothesis can think of."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import strategies as st

from pytest_xeonperf.records import (
    OUTSIDE_OPERATORS,
    OVER_NOTHING,
    UNBOUNDED_RATIO,
    Amx,
    Bound,
    Case,
    Commit,
    Contention,
    Estimate,
    Evidence,
    Isa,
    Limits,
    Machine,
    Measurement,
    Metric,
    Operator,
    Outcome,
    Remedy,
    Result,
    Roofline,
    Run,
    RunState,
    Sample,
    Score,
    Timing,
    Unknown,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_LEAVES: dict[type, st.SearchStrategy[Any]] = {
    str: st.text(max_size=8),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(),
}


@pytest.fixture(scope="session")
def any_run() -> st.SearchStrategy[Run]:
    """Strategy: a run of any values at all that the types allow."""
    return _any(Run)


def _any(kind: Any) -> st.SearchStrategy[Any]:
    if get_origin(kind) is tuple:
        first, *rest = get_args(kind)
        return (
            st.lists(_any(first), max_size=3).map(tuple) if rest == [...] else st.tuples(_any(first), *map(_any, rest))
        )
    if isinstance(kind, UnionType):
        return st.one_of([_any(option) for option in get_args(kind)])
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{field.name: _any(hints[field.name]) for field in fields(kind)})
    return st.sampled_from(list(kind)) if issubclass(kind, Enum) else _LEAVES[kind]


_CASE = Case(
    workload="sam-vit-b",
    phase="encode",
    preset="quick",
    variant="compiled_bf16",
    metric=Metric.LATENCY,
    over="eager_fp32",
)


def _samples(candidates_ns: tuple[int, ...]) -> tuple[Sample, ...]:
    return tuple(
        Sample(
            process=0,
            round_index=index,
            baseline_ns=35_000_000,
            candidate_ns=candidate_ns,
            baseline_position=0,
            candidate_position=1,
        )
        for index, candidate_ns in enumerate(candidates_ns)
    )


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Result]:
    """Makes a measured result; any field of it can be given, and the raw times."""

    def make(*, candidates_ns: tuple[int, ...] = (9_000_000, 10_000_000, 11_000_000), **changes: Any) -> Result:
        measurement = Measurement(
            case=changes.get("case", _CASE),
            item="image",
            items_per_call=1,
            samples=_samples(candidates_ns),
            voided_rounds=0,
            disturbed_rounds=2,
            contention=Contention(
                elapsed_ns=1_000_000_000, cores=2, stolen_ns=20_000_000, others_ns=40_000_000, throttled_ns=0
            ),
            seed=7,
            speedup=Estimate(ratio=3.5, low_ratio=3.4, high_ratio=3.6, confidence=0.95),
            baseline_median_ns=35_000_000,
            candidate_median_ns=10_000_000,
            fidelity=(Score(name="cosine", value=0.9998), Score(name="psnr_db", value=52.0)),
            roofline=Roofline(fraction=0.71, bound=Bound.COMPUTE, flop=10**12, weight_bytes=180 << 20),
            evidence=Evidence(
                compile_ns=30_000_000_000,
                graph_breaks=0,
                first_break="",
                recompiles=0,
                kernels=("aten::mm",),
                weight_bytes=180 << 20,
                peak_rss_bytes=1 << 30,
                left_in_bf16=(),
                operators=(
                    Operator(name="aten::mm", self_ns=9_000_000, calls=12),
                    Operator(name=OUTSIDE_OPERATORS, self_ns=3_000_000, calls=0),
                ),
            ),
        )
        result = Result(
            node_id="suites/test_sam.py::test_compiled",
            location="suites/test_sam.py:12",
            case=_CASE,
            measured_at="2026-09-01T10:01:00+00:00",
            measurement=measurement,
            verdict=Verdict(outcome=Outcome.PASS, reason="above its floor", floor_ratio=2.91, expectations=()),
        )
        return replace(result, **changes)

    return make


@pytest.fixture(scope="session")
def crashed(make_result: Callable[..., Result]) -> Result:
    """A result without a measurement, with an interval of nothing."""
    return make_result(
        case=replace(_CASE, variant="woq_int8"),
        node_id="suites/test_sam.py::test_int8",
        measurement=Unknown(reason="died of SIGSEGV"),
        verdict=Verdict(
            outcome=Outcome.CRASHED, reason="died of SIGSEGV", floor_ratio=Unknown(reason="no floor"), expectations=()
        ),
    )


@pytest.fixture(scope="session")
def timed(make_result: Callable[..., Result]) -> Result:
    """A result of what was timed alone, in a group of pytest-benchmark's."""
    return make_result(
        case=Case(
            workload="tests/test_fft.py::test_fft",
            phase="benchmark",
            preset="-",
            variant="fft",
            metric=Metric.LATENCY,
            over=OVER_NOTHING,
        ),
        node_id="tests/test_fft.py::test_fft",
        measurement=Timing(
            item="call", rounds=4, durations_ns=(1_240_000, 1_250_000, 1_260_000, 1_900_000), median_ns=1_255_000
        ),
        verdict=Verdict(
            outcome=Outcome.PASS, reason="", floor_ratio=Unknown(reason="no floor applies"), expectations=()
        ),
    )


@pytest.fixture(scope="session")
def carried(make_result: Callable[..., Result]) -> Result:
    """A result whose candidate takes a tenth longer wherever the baseline ran before it: 4.0x against 4.4x."""
    result = make_result(candidates_ns=(8_750_000,) * 5 + (7_954_545,) * 4)
    samples = tuple(
        replace(sample, baseline_position=int(place >= 5), candidate_position=int(place < 5))
        for place, sample in enumerate(result.measurement.samples)
    )
    return replace(result, measurement=replace(result.measurement, samples=samples))


@pytest.fixture(scope="session")
def unbounded(make_result: Callable[..., Result]) -> Result:
    """A result of so few pairs that nothing bounds it, and of which little else is known."""
    few = make_result(case=replace(_CASE, variant="eager_bf16"), node_id="suites/test_sam.py::test_bf16")
    measured = replace(
        few.measurement,
        speedup=Estimate(ratio=1.2, low_ratio=0.0, high_ratio=UNBOUNDED_RATIO, confidence=0.95),
        roofline=Unknown(reason="the workload gives no footprint"),
        evidence=replace(few.measurement.evidence, peak_rss_bytes=Unknown(reason="not asked for")),
        fidelity=(),
    )
    return replace(
        few, measurement=measured, verdict=replace(few.verdict, outcome=Outcome.INCONCLUSIVE, reason="budget spent")
    )


@pytest.fixture(scope="session")
def make_run(make_result: Callable[..., Result]) -> Callable[..., Run]:
    """Makes a finished run with one result; any field can be given."""

    def make(**changes: Any) -> Run:
        run = Run(
            id="01990000-0000-7000-8000-000000000000",
            state=RunState.FINISHED,
            started_at="2026-09-01T10:00:00+00:00",
            finished_at="2026-09-01T10:20:00+00:00",
            command="pytest --xeonperf suites/",
            options=(("preset", "quick"),),
            machine=Machine(
                architecture="x86_64",
                cpu_model="Intel(R) Xeon(R) Platinum 8488C",
                isa=Isa.AMX_BF16,
                amx=Amx(
                    advertised=True,
                    usable_by_onednn=True,
                    usable_by_inductor=False,
                    remedy=Remedy.REPAIR,
                    detail="palette 1 given",
                ),
                threads=2,
                physical_cores=2,
                memory_bytes=32 << 30,
                facts=(("kernel", "6.1.0"), ("torch", "2.13.0")),
                limits=Limits(
                    read_bytes_per_s=2.1e10, fp32_flop_per_s=1.5e11, bf16_flop_per_s=2.2e12, int8_op_per_s=4.1e12
                ),
            ),
            commit=Commit(
                sha="0f" * 20,
                branch="main",
                dirty=False,
                committed_at="2026-09-01T08:00:00+00:00",
                subject="Faster",
                author="Ann",
            ),
            results=(make_result(),),
        )
        return replace(run, **changes)

    return make
