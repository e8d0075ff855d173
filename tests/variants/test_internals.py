"""Tensors of one dtype, multiplied in another."""

import copy

import pytest
import torch
from torch import nn
from torch.backends import mkldnn
from torch.profiler import ProfilerActivity, profile

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.internals import multiplying_in
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.variants.spec import Dtype, Internals
from pytest_xeonperf.variants.woq_int8 import Int8
from pytest_xeonperf.workloads import tiled_attention
from pytest_xeonperf.workloads.arithmetic import products_of
from pytest_xeonperf.workloads.protocol import Inputs, Workload


def _settings():
    return mkldnn.matmul.fp32_precision, mkldnn.conv.fp32_precision, products_of(torch.bfloat16)


@pytest.mark.parametrize(
    ("internals", "during"),
    [
        (Internals.SAME, (None, None, torch.bfloat16)),
        (Internals.BF16, ("bf16", "bf16", torch.bfloat16)),
        (Internals.FP32, (None, None, torch.float32)),
        (Internals.INT8, (None, None, torch.int8)),
    ],
    ids=str,
)
def test_the_setting_holds_during_the_call_and_no_longer(internals, during):
    before = _settings()
    seen = []
    multiplying_in(internals, lambda call: call)(lambda: seen.append(_settings()))()
    assert seen == [tuple(new or old for new, old in zip(during, before, strict=True))]
    assert _settings() == before


@pytest.mark.parametrize("internals", list(Internals), ids=str)
def test_a_call_that_raises_leaves_it_as_it_was(internals):
    before = _settings()
    with pytest.raises(ZeroDivisionError):
        multiplying_in(internals, lambda call: call)(lambda: 1 / 0)()
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
    [{}, {"dtype": "fp32", "attention": "fused"}, {"kernel": "stream"}, {"woq": "int8"}],
    ids=str,
)
def test_which_only_kernels_of_ours_do(keywords):
    with pytest.raises(UsageError, match="internals='fp32' is for BF16 tensors in kernels of ours"):
        from_keywords({"internals": "fp32", **keywords})


def test_products_of_attention_may_be_in_bytes():
    variant = from_keywords({"internals": "int8", "attention": "fused"})
    assert (variant.name, variant.multiplies_bytes) == ("bf16-int8inside-fused", True)


@pytest.mark.parametrize(
    "keywords", [{}, {"dtype": "fp32", "attention": "fused"}, {"kernel": "stream", "woq": "int8"}], ids=str
)
def test_of_bf16_in_kernels_of_ours(keywords):
    with pytest.raises(UsageError, match="internals='int8' is for BF16 tensors in attention kernels of ours"):
        from_keywords({"internals": "int8", **keywords})


@pytest.mark.skipif(read_cpu().isa.rank < Isa.AVX512_BF16.rank, reason="the kernel needs AVX512_BF16")
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_each_variant_multiplies_as_it_says_also_after_another(compiled, cpp_compiler):
    torch.manual_seed(0)
    x = torch.randn(64, 256)
    layer = nn.Linear(256, 64, bias=False).requires_grad_(requires_grad=False)
    workload = Workload(name="wide", build=lambda: copy.deepcopy(layer), inputs=lambda: Inputs(args=(x,)))
    phase = workload.phases[0]
    steps, as_exact = {}, {}
    for internals in ("same", "fp32"):
        variant = from_keywords({"woq": "int8", "kernel": "stream", "internals": internals, "compile": compiled})
        built = build(variant, workload, phase)
        steps[internals] = built.bind(phase, prepared(phase.inputs(), variant))
    stored = Int8().dequantise(Int8().quantise(layer.weight))
    exact = (x.bfloat16().float() @ stored.T).bfloat16()
    for _ in range(2):
        as_exact |= {internals: (step() == exact).float().mean().item() for internals, step in steps.items()}
    assert as_exact["fp32"] > 0.95 > as_exact["same"]


class Attends(nn.Module):
    """Self-attention of two heads through the kernel for many tokens."""

    def forward(self, x):
        return tiled_attention.attend(x, x, x)


@pytest.mark.skipif(read_cpu().isa.rank < Isa.AVX512_BF16.rank, reason="the kernel needs AVX512_BF16")
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_attention_goes_through_the_kernel_that_its_variant_names_also_after_another(compiled, cpp_compiler):
    tiled_attention.load()
    x = torch.randn(1, 2, 40, 32)
    workload = Workload(
        name="attends", build=Attends, inputs=lambda: Inputs(args=(x,)), attention=lambda module, _kind: module
    )
    phase = workload.phases[0]
    steps = {}
    for internals in ("same", "fp32", "int8"):
        variant = from_keywords({"attention": "fused", "internals": internals, "compile": compiled})
        built = build(variant, workload, phase)
        steps[internals] = built.bind(phase, prepared(phase.inputs(), variant))
    for _ in range(2):
        for internals, step in steps.items():
            with profile(activities=[ProfilerActivity.CPU]) as seen:
                step()
            names = {event.name for event in seen.events() if event.name.startswith("xeonperf::")}
            assert names == {"xeonperf::tiled_attention" + ("_int8" if internals == "int8" else "")}
