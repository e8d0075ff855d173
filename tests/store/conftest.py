"""Runs to store: one that looks like life, and any that Hypothesis can think of."""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import strategies as st

from pytest_xeonperf.records import (
    OVER_NOTHING,
    Amx,
    Bound,
    Case,
    Commit,
    Contention,
    Estimate,
    Evidence,
    Expectation,
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
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.identity import new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.store.repository import Store

MACHINE = Machine(
    architecture="x86_64",
    cpu_model="Intel(R) Xeon(R) Platinum 8488C",
    isa=Isa.AMX_BF16,
    amx=Amx(
        advertised=True, usable_by_onednn=True, usable_by_inductor=False, remedy=Remedy.REPAIR, detail="palette 1 given"
    ),
    threads=2,
    physical_cores=2,
    memory_bytes=32 << 30,
    facts=(("kernel", "6.1.0"), ("torch", "2.13.0")),
    limits=Limits(read_bytes_per_s=2.1e10, fp32_flop_per_s=1.5e11, bf16_flop_per_s=2.2e12, int8_op_per_s=4.1e12),
)
COMMIT = Commit(
    sha="0f" * 20,
    branch="main",
    dirty=False,
    committed_at="2026-09-01T08:00:00+00:00",
    subject="Faster",
    author="Ann",
)


def _make_result(
    *, variant: str = "compiled_bf16", outcome: Outcome = Outcome.PASS, ratio: float = 3.5, node_id: str = ""
) -> Result:
    case = Case(
        workload="sam-vit-b", phase="encode", preset="quick", variant=variant, metric=Metric.LATENCY, over="eager_fp32"
    )
    samples = tuple(
        Sample(
            process=0,
            round_index=index,
            baseline_ns=round(ratio * 10_000_000) + index,
            candidate_ns=10_000_000,
            baseline_position=index % 2,
            candidate_position=1 - index % 2,
        )
        for index in range(5)
    )
    measurement = Measurement(
        case=case,
        item="image",
        items_per_call=1,
        samples=samples,
        voided_rounds=1,
        disturbed_rounds=2,
        contention=Contention(
            elapsed_ns=1_000_000_000, cores=2, stolen_ns=20_000_000, others_ns=40_000_000, throttled_ns=0
        ),
        seed=2**64 + 1,
        speedup=Estimate(ratio=ratio, low_ratio=ratio - 0.1, high_ratio=ratio + 0.1, confidence=0.95),
        baseline_median_ns=round(ratio * 10_000_000),
        candidate_median_ns=10_000_000,
        fidelity=(Score(name="cosine", value=0.9998), Score(name="psnr_db", value=52.0)),
        roofline=Roofline(fraction=0.71, bound=Bound.COMPUTE, flop=10**12, weight_bytes=180 << 20),
        evidence=Evidence(
            compile_ns=30_000_000_000,
            graph_breaks=0,
            first_break="",
            recompiles=0,
            kernels=("aten::mm", "aten::_flash_attention"),
            weight_bytes=180 << 20,
            peak_rss_bytes=Unknown(reason="not asked for"),
            left_in_bf16=(),
            operators=(Operator(name="aten::mm", self_ns=7_000_000, calls=3),),
        ),
    )
    return Result(
        node_id=node_id or f"suites/test_sam.py::test_{variant}",
        location="suites/test_sam.py:12",
        case=case,
        measured_at="2026-09-01T10:01:00+00:00",
        measurement=measurement,
        verdict=Verdict(
            outcome=outcome,
            reason="above its floor",
            floor_ratio=2.91,
            expectations=(
                Expectation(name="min_speedup", required="2.91", found=str(ratio), held=ratio > 2.91, isa="amx_bf16"),
            ),
        ),
    )


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Result]:
    """Makes a measured result; ``variant=``, ``outcome=``, ``ratio=`` and ``node_id=`` tell it from others."""
    return _make_result


@pytest.fixture(scope="session")
def timed() -> Result:
    """A result of what was timed alone."""
    case = Case(
        workload="tests/test_fft.py::test_fft",
        phase="benchmark",
        preset="-",
        variant="fft",
        metric=Metric.LATENCY,
        over=OVER_NOTHING,
    )
    timing = Timing(item="call", rounds=3, durations_ns=(1_240_000, 1_250_000, 2**40), median_ns=1_250_000)
    return replace(_make_result(), node_id=case.workload, case=case, measurement=timing)


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Run]:
    """Makes a finished run with two results; any field can be given."""

    def make(**changes: Any) -> Run:
        run = Run(
            id=new_run_id(),
            state=RunState.FINISHED,
            started_at="2026-09-01T10:00:00+00:00",
            finished_at="2026-09-01T10:20:00+00:00",
            command="pytest --xeonperf suites/",
            options=(("preset", "quick"),),
            machine=MACHINE,
            commit=COMMIT,
            results=(_make_result(), _make_result(variant="eager_bf16", outcome=Outcome.BELOW_FLOOR, ratio=1.4)),
        )
        return replace(run, **changes)

    return make


@pytest.fixture(scope="session")
def begun(make_run: Callable[..., Run]) -> Callable[..., Run]:
    """Makes a run that has just begun."""

    def make(**changes: Any) -> Run:
        started = {"state": RunState.RUNNING, "finished_at": Unknown(reason="still running"), "results": ()}
        return make_run(**(started | changes))

    return make


@pytest.fixture
def store(migrated: str) -> Iterator[Store]:
    """An open, empty history."""
    with open_store(migrated) as opened:
        yield opened


@pytest.fixture(scope="session")
def any_run() -> st.SearchStrategy[Run]:
    """Strategy: a run of any values that the records allow, under an id of its own."""
    return _any(Run).map(_consistent)


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_LEAVES: dict[type, st.SearchStrategy[Any]] = {
    str: _TEXT,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    int: st.integers(0, 2**31 - 1),
}
_WIDE = ("_ns", "_bytes", "flop")


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
        return st.builds(kind, **{field.name: _any_field(field.name, hints[field.name]) for field in fields(kind)})
    return st.sampled_from(list(kind)) if issubclass(kind, Enum) else _LEAVES[kind]


def _any_field(name: str, kind: Any) -> st.SearchStrategy[Any]:
    if kind is int and name == "seed":
        return st.integers(0, 2**130)
    return st.integers(0, 2**63 - 1) if kind is int and name.endswith(_WIDE) else _any(kind)


def _consistent(run: Run) -> Run:
    """What the types do not say: own ids, a sha that stands for its commit, one case a result."""
    results = {(result.node_id, result.case): _of_one_case(result) for result in run.results}
    commit = run.commit
    if isinstance(commit, Commit):
        text = f"{commit.committed_at}\0{commit.subject}\0{commit.author}"
        commit = replace(commit, sha=hashlib.sha256(text.encode()).hexdigest()[:40])
    return replace(run, id=new_run_id(), commit=commit, results=tuple(results.values()))


def _of_one_case(result: Result) -> Result:
    if not isinstance(result.measurement, Measurement):
        return result
    return replace(result, measurement=replace(result.measurement, case=result.case))
