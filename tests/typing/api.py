"""Only type-checked, never run: what users write against the public names, and the types they get.

Every `assert_type` is a promise; mypy in strict mode holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import pytest

from pytest_xeonperf import Attention, Inputs, Phase, Preset, Variant, Workload, XeonPerfError
from pytest_xeonperf.records import Estimate, Measurement, Outcome, Result, Timing, Unknown, Verdict

if TYPE_CHECKING:
    from torch import nn

    from pytest_xeonperf.shell.fixtures import Handle, XeonPerf


def build() -> nn.Module:
    """A model of the user's own."""
    from torch import nn

    return nn.Linear(4, 4)


def inputs() -> Inputs:
    """What it is fed."""
    import torch

    return Inputs(args=(torch.ones(1, 4),), kwargs={"mask": None})


def switch(module: nn.Module, attention: Attention) -> nn.Module:
    """How it attends."""
    assert_type(attention, Attention)
    return module


@pytest.fixture
def workload() -> Workload:
    """The short form and the long one."""
    short = Workload(name="mine", build=build, inputs=inputs, attention=switch)
    assert_type(short.phases, tuple[Phase, ...])
    assert_type(short.phase("forward"), Phase)
    return Workload(
        name="mine", phases=(Phase(name="first", build=build, inputs=inputs, item="token", items_per_call=8),)
    )


@pytest.mark.workload(phase="first", preset="smoke")
@pytest.mark.min_speedup(2.5, over="eager_bf16", isa="amx_bf16")
@pytest.mark.min_fidelity(cosine=0.999)
@pytest.mark.max_latency(ms=5)
def test_checks(xeonperf: XeonPerf, compiled_bf16: Handle) -> None:
    """What a check gives."""
    assert_type(compiled_bf16.variant, Variant)
    results = xeonperf.check(compiled_bf16)
    assert_type(results, tuple[Result, ...])
    for result in results:
        assert_type(result.verdict, Verdict)
        assert_type(result.verdict.outcome, Outcome)
        assert_type(result.verdict.floor_ratio, float | Unknown)
        assert_type(result.measurement, Measurement | Timing | Unknown)
        if isinstance(result.measurement, Measurement):
            assert_type(result.measurement.speedup, Estimate)
            assert_type(result.measurement.candidate_median_ns, int)


def test_compares(xeonperf: XeonPerf) -> None:
    """What a comparison gives."""
    assert_type(xeonperf.compare(lambda: 1, lambda: "any output", name="mine"), Result)
    assert_type(xeonperf.workload, Workload)


def handles_errors() -> str:
    """What an error says."""
    try:
        workload_of_no_phases = Workload(name="nothing")
    except XeonPerfError as error:
        assert_type(error.what, str)
        assert_type(error.remedy, str)
        return str(error)
    return workload_of_no_phases.name


def compares_presets(preset: Preset) -> bool:
    """Presets are text."""
    assert_type(preset.value, str)
    return preset is Preset.SMOKE


def compares_variants() -> Variant:
    """A variant is data."""
    return Variant(name="mine", attention=Attention.SDPA, compile=True)
