"""Linear layers that multiply bytes with bytes, against the FP32 product of what both sides stand for."""

import math
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.host import extension
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants import dynamic_int8
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.dynamic_int8 import DynamicInt8, pack
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.variants.woq_int8 import Int8
from pytest_xeonperf.workloads.protocol import Inputs, Workload

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512.rank or "avx512_vnni" not in read_cpu().flags or shutil.which("g++") is None,
    reason="the kernel needs AVX512_VNNI and a C++ compiler",
)

KEYWORDS = {"dtype": "fp32", "woq": "int8", "kernel": "dynamic"}


def layer_of(weight, bias=None, dtype=torch.float32):
    return DynamicInt8().linear(DynamicInt8().quantise(weight), bias).to(dtype)


def in_bytes(x):
    """What rows [M, K] stand for once they are bytes."""
    step = x.abs().amax(dim=1, keepdim=True) / 127
    return (x / step.clamp(min=1e-30)).round() * step


# one row, a block and more; widths that fill blocks, and that do not; fewer blocks than threads
@pytest.mark.parametrize(
    ("channels", "width"), [(1, 1), (7, 5), (64, 64), (65, 63), (130, 200), (64, 1100), (700, 768)]
)
@pytest.mark.parametrize("rows", [1, 2, 16, 64, 65, 300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_the_product_is_that_of_what_both_sides_stand_for(*, channels, width, rows, dtype):
    torch.manual_seed(channels + rows)
    weight, x = torch.randn(channels, width), torch.randn(rows, width).to(dtype)
    found = layer_of(weight, dtype=dtype)(x)
    expected = in_bytes(x.float()) @ DynamicInt8().dequantise(DynamicInt8().quantise(weight)).T
    assert (found.shape, found.dtype) == ((rows, channels), dtype)
    close = 2**-8 if dtype is torch.bfloat16 else 2**-12  # a byte may be rounded the other way
    assert (found.float() - expected).norm() <= close * expected.norm() + 1e-6


def test_rounding_both_sides_costs_about_a_hundredth():
    torch.manual_seed(0)
    weight, x = torch.randn(512, 768), torch.randn(200, 768)
    expected = x @ weight.T
    assert 0.002 < (layer_of(weight)(x) - expected).norm() / expected.norm() < 0.015


def test_every_row_has_a_step_of_its_own():
    x = torch.randn(3, 128) * torch.tensor([1e-20, 1.0, 1e20])[:, None]
    weight = torch.randn(64, 128)
    together = layer_of(weight)(x)
    for row, alone in zip(x, together, strict=True):
        assert torch.equal(layer_of(weight)(row[None])[0], alone)
        assert (alone / row.abs().max() - (row @ weight.T) / row.abs().max()).norm() < 0.5


def test_every_weight_has_its_place():
    weight = torch.randn(70, 130)
    found = layer_of(weight)(torch.eye(130)).T
    torch.testing.assert_close(found, DynamicInt8().dequantise(DynamicInt8().quantise(weight)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_bias_is_added_in_the_dtype_of_the_layer(dtype):
    weight, bias, x = torch.randn(20, 40), torch.randn(20), torch.randn(3, 40).to(dtype)
    with_bias, without = layer_of(weight, bias, dtype)(x), layer_of(weight, dtype=dtype)(x)
    assert torch.equal(with_bias, without + bias.to(dtype))


def test_so_many_inputs_that_sums_may_overflow_are_refused():
    assert "overflow" in DynamicInt8().refusal(out_features=8, in_features=(1 << 17) + 1)
    assert not DynamicInt8().refusal(out_features=8, in_features=1 << 17)
    weight, x = torch.ones(1, 1 << 17), torch.ones(1, 1 << 17)
    torch.testing.assert_close(layer_of(weight)(x), torch.full((1, 1), float(1 << 17)), rtol=1e-2, atol=0)


def test_rows_of_zeros_and_leading_dimensions_stay():
    layer = layer_of(torch.randn(20, 40), torch.ones(20))
    assert torch.equal(layer(torch.zeros(2, 3, 40)), torch.ones(2, 3, 20))
    assert layer(torch.zeros(0, 40)).shape == (0, 20)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_stays_none_in_its_row(bad):
    x = torch.randn(5, 100)
    x[2, 17] = bad
    found = layer_of(torch.randn(30, 100))(x)
    assert found[2].isnan().all()
    assert found[[0, 1, 3, 4]].isfinite().all()


def test_the_largest_values_do_not_overflow():
    weight, x = torch.ones(64, 8192), torch.ones(1, 8192)
    torch.testing.assert_close(layer_of(weight)(x), torch.full((1, 64), 8192.0), rtol=1e-2, atol=0)
    torch.testing.assert_close(layer_of(-weight)(-x), torch.full((1, 64), 8192.0), rtol=1e-2, atol=0)


def test_a_result_so_large_that_it_lies_on_large_pages_is_the_same():
    layer, x = layer_of(torch.randn(1100, 64)), torch.randn(8000, 64)
    whole = layer(x)  # fp32 [8000, 1100]: 35 MB
    assert torch.equal(whole[5000:5100], layer(x[5000:5100]))


def test_one_thread_computes_what_two_do(set_threads):
    layer, x = layer_of(torch.randn(300, 200)), torch.randn(150, 200)
    set_threads(2)
    two = layer(x)
    set_threads(1)
    assert torch.equal(layer(x), two)


def test_a_weight_is_packed_by_four_along_its_inputs():
    packed = pack(torch.arange(64, dtype=torch.int8)[:, None].expand(64, 8) + torch.zeros(64, 8, dtype=torch.int8))
    assert packed.shape == (1, 16, 256)
    assert packed[0, 1, ::4].tolist() == list(range(64))
    assert not packed[0, 2:].any()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"x": torch.zeros(2, 200)}, "other widths"),
        ({"x": torch.zeros(2, 100).double()}, "fp32 or bf16"),
        ({"x": torch.zeros(2, 100).bfloat16()}, "as x"),
        ({"x": torch.zeros(100, 2).T}, "contiguous"),
        ({"packed": torch.zeros(1, 32, 128, dtype=torch.int8)}, "packed"),
        ({"scales": torch.zeros(100)}, "sums"),
        ({"sums": torch.zeros(30)}, "sums"),
    ],
)
def test_the_operator_refuses_what_it_would_read_past_the_end_of(change, complaint):
    layer = layer_of(torch.randn(30, 100))
    given = {"x": torch.zeros(2, 100), "packed": layer.packed, "scales": layer.scales, "sums": layer.sums} | change
    with pytest.raises(RuntimeError, match=complaint):
        torch.ops.xeonperf.dynamic_int8(**given)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_operator_keeps_torchs_contract(dtype):
    layer = layer_of(torch.randn(30, 100), dtype=dtype)
    given = torch.randn(3, 100).to(dtype), layer.packed, layer.scales, layer.sums
    torch.library.opcheck(torch.ops.xeonperf.dynamic_int8.default, given)


def test_its_weights_are_those_of_woq_int8():
    assert DynamicInt8().scheme == Int8().scheme
    weight = torch.randn(8, 16)
    for name, part in Int8().quantise(weight).items():
        assert torch.equal(DynamicInt8().quantise(weight)[name], part)


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_variant_asks_for_it_by_name_in_either_dtype(dtype):
    variant = from_keywords({**KEYWORDS, "dtype": dtype})
    assert variant.name == f"{dtype}-sdpa-int8-dynamic"
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(100, 70), nn.ReLU(), nn.Linear(70, 10))
    x = torch.randn(4, 100)
    expected = model(x)
    workload = Workload(name="two", build=lambda: model, inputs=lambda: Inputs(args=(x,)))
    phase = workload.phases[0]
    built = build(variant, workload, phase)
    found = built.bind(phase, prepared(phase.inputs(), variant))()
    assert not built.left_in_bf16
    assert built.module[0].weight.dtype is found.dtype
    assert (found.float() - expected).norm() < 0.03 * expected.norm()


def test_its_weights_lie_as_they_did_among_channels_that_lie_last():
    model = nn.Sequential(nn.Conv2d(4, 8, 1), nn.Flatten(), nn.Linear(72, 70))
    workload = Workload(name="both", build=lambda: model, inputs=lambda: Inputs(args=(torch.ones(1, 4, 3, 3),)))
    phase = workload.phases[0]
    variant = from_keywords({**KEYWORDS, "channels_last": True})
    assert build(variant, workload, phase).bind(phase, prepared(phase.inputs(), variant))().isfinite().all()


@pytest.mark.parametrize(
    ("keywords", "lost", "complaint"),
    [
        ({}, {"avx512_bf16", "amx_tile"}, "our attention kernels in BF16 need avx512_bf16"),
        ({"internals": "int8"}, {"avx512_vnni"}, "internals='int8' needs AVX512_VNNI"),
    ],
    ids=["bf16", "bytes"],
)
def test_attention_asks_for_its_instructions_before_anything_is_built(monkeypatch, keywords, lost, complaint):
    plain = replace(read_cpu(), flags=read_cpu().flags - lost)
    monkeypatch.setattr(extension, "read_cpu", lambda: plain)
    workload = Workload(name="none", build=pytest.fail, inputs=lambda: Inputs(args=()))
    with pytest.raises(NotApplicableError, match=complaint):
        build(from_keywords({"attention": "fused", **keywords}), workload, workload.phases[0])


@pytest.mark.parametrize("keywords", [{"kernel": "dynamic"}, {"kernel": "dynamic", "woq": "int4"}])
def test_it_is_for_int8_weights_alone(keywords):
    with pytest.raises(UsageError, match="multiplies int8 weights"):
        from_keywords(keywords)


def test_a_processor_that_cannot_multiply_bytes_is_told_so(monkeypatch):
    weak = replace(read_cpu(), flags=read_cpu().flags - {"avx512_vnni"})
    monkeypatch.setattr(extension, "read_cpu", lambda: weak)
    monkeypatch.setattr(dynamic_int8, "load_kernel", dynamic_int8.load_kernel.__wrapped__)

    with pytest.raises(NotApplicableError, match="AVX512_VNNI"):
        layer_of(torch.randn(8, 16))
