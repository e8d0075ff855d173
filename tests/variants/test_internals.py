"""Tensors of one dtype, multiplied in another."""

import pytest
import torch
from torch import nn
from torch.backends import mkldnn

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.internals import rounding_inside
from pytest_xeonperf.variants.spec import Dtype, from_keywords
from pytest_xeonperf.workloads.protocol import Inputs, Workload


def _settings():
    return mkldnn.matmul.fp32_precision, mkldnn.conv.fp32_precision


def test_the_setting_holds_during_the_call_and_no_longer():
    before = _settings()
    seen = []
    rounding_inside(lambda call: call)(lambda: seen.append(_settings()))()
    assert (seen, _settings()) == ([("bf16", "bf16")], before)


def test_a_call_that_raises_leaves_it_as_it_was():
    before = _settings()
    with pytest.raises(ZeroDivisionError):
        rounding_inside(lambda call: call)(lambda: 1 / 0)()
    assert _settings() == before


@pytest.mark.skipif(read_cpu().isa.rank < Isa.AMX_BF16.rank, reason="oneDNN rounds only where it gains by it")
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_operands_are_rounded_and_results_are_not(compiled, request):
    if compiled:
        request.getfixturevalue("cpp_compiler")
    torch.manual_seed(0)
    x, layer = torch.randn(256, 512), nn.Linear(512, 256).requires_grad_(requires_grad=False)
    workload = Workload(name="wide", build=lambda: layer, inputs=lambda: Inputs(args=(x,)))
    variant = from_keywords({"dtype": "fp32", "internals": "bf16", "compile": compiled})
    exact = layer(x)
    phase = workload.phases[0]
    built = build(variant, workload, phase)
    found = phase.bind(built.module, prepared(phase.inputs(), variant), built.compiler)()
    error = ((found - exact).norm() / exact.norm()).item()
    assert found.dtype == torch.float32
    assert 1e-4 < error < 1e-2
    assert (found.bfloat16().float() != found).any()


def test_its_name_says_what_happens_inside():
    assert from_keywords({"dtype": "fp32", "internals": "bf16"}).name == "fp32-bf16inside-sdpa"


@pytest.mark.parametrize("keywords", [{}, {"dtype": "bf16"}], ids=["default", "bf16"])
def test_it_is_a_setting_for_fp32(keywords):
    with pytest.raises(UsageError, match="internals='bf16' is for FP32 tensors"):
        from_keywords({"internals": "bf16", **keywords})


def test_products_of_bf16_tensors_may_be_in_fp32():
    variant = from_keywords({"internals": "fp32", "woq": "int4", "kernel": "stream"})
    assert (variant.name, variant.product_dtype) == ("bf16-fp32inside-sdpa-int4-g128-stream", Dtype.FP32)


@pytest.mark.parametrize(
    "keywords",
    [{}, {"dtype": "fp32"}, {"kernel": "stream"}, {"woq": "int8"}, {"woq": "int8", "kernel": "dynamic"}],
    ids=str,
)
def test_which_only_our_kernels_for_quantised_weights_do(keywords):
    with pytest.raises(UsageError, match="internals='fp32' is for quantised weights in kernel='stream'"):
        from_keywords({"internals": "fp32", **keywords})
