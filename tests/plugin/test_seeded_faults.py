"""Faults put in on purpose, each of which leaves the numbers right: only the proof of path catches them."""

import pytest

from pytest_xeonperf.errors import ExitCode
from pytest_xeonperf.host.compiler import Compiler, find_compiler
from pytest_xeonperf.records import Isa, Outcome

CONFTEST = """
import os
import pytest
from pytest_xeonperf import Inputs, Workload


def build():
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(256, 256), nn.Linear(256, 256)

        def forward(self, x):
            x = self.first(x)
            if "BREAK" in os.environ:
                torch._dynamo.graph_break()
            return self.second(x.relu())

    return Block()


def inputs():
    import torch

    return Inputs(args=(torch.linspace(-1, 1, 64 * 256).reshape(64, 256),))  # [64, 256] fp32


@pytest.fixture
def workload():
    return Workload(name="block", build=build, inputs=inputs)


if "FALL_BACK" in os.environ:
    from torch import nn
    from pytest_xeonperf.variants.woq_int4 import Int4

    def dense(self, tensors, bias):
        weight = self.dequantise(tensors)
        layer = nn.Linear(*reversed(weight.shape), bias=bias is not None)
        layer.weight, layer.bias = nn.Parameter(weight), bias
        return layer

    Int4.linear = dense
"""

SUITE = """
import pytest

@pytest.mark.uses_kernel("aten::_weight_int4pack_mm_for_cpu")
@pytest.mark.min_fidelity(cosine=0.9)
def test_int4(xeonperf, woq_int4):
    xeonperf.check(woq_int4)

@pytest.mark.max_graph_breaks(0)
def test_whole_graph(xeonperf, compiled_bf16):
    xeonperf.check(compiled_bf16)

@pytest.mark.uses_kernel("onednn::matmul:*amx")
def test_amx(xeonperf, eager_bf16):
    xeonperf.check(eager_bf16)
"""


@pytest.fixture
def measured(suite, run):
    """Runs one test of the suite under these variables of the environment."""

    def measure(test, **variables):
        folder = suite({"test_it.py": SUITE}, conftest=CONFTEST)
        return run(folder, "-k", test, "--xeonperf-amx=auto", extra=variables)

    return measure


@pytest.mark.parametrize(
    ("test", "fault", "reason"),
    [
        ("test_int4", "FALL_BACK", "_weight_int4pack_mm_for_cpu"),
        ("test_whole_graph", "BREAK", "graph_break()"),
    ],
    ids=["int4 falls back to dense weights", "a graph breaks in a block"],
)
@pytest.mark.skipif(not isinstance(find_compiler(), Compiler), reason="no C++ compiler")
def test_a_fault_that_leaves_the_numbers_right_is_caught(measured, test, fault, reason):
    assert measured(test).results[test].verdict.outcome is Outcome.PASS
    session = measured(test, **{fault: "1"})
    verdict = session.results[test].verdict
    assert (verdict.outcome, session.code) == (Outcome.WRONG_KERNEL, ExitCode.RED)
    assert reason in verdict.reason


def test_amx_that_the_environment_turns_off_is_caught(measured):
    session = measured("test_amx")
    if session.runs[-1].machine.isa is not Isa.AMX_BF16:
        pytest.skip("no usable AMX here")
    assert session.results["test_amx"].verdict.outcome is Outcome.PASS
    session = measured("test_amx", ONEDNN_MAX_CPU_ISA="AVX512_CORE_BF16")
    assert session.results["test_amx"].verdict.outcome is Outcome.WRONG_KERNEL
