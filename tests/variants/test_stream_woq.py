"""The weight-only kernels of our own, against the FP32 product of the weights and against ATen's kernels."""

import shutil
from contextlib import nullcontext
from functools import partial

import pytest
import torch
from torch import nn

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants.apply import build
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.variants.stream_int4 import StreamInt4
from pytest_xeonperf.variants.stream_int8 import StreamInt8
from pytest_xeonperf.variants.woq_int4 import Int4
from pytest_xeonperf.variants.woq_int8 import Int8
from pytest_xeonperf.workloads.arithmetic import multiplying_bf16_in, widens
from pytest_xeonperf.workloads.protocol import Inputs, Workload

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512_BF16.rank or shutil.which("g++") is None,
    reason="the kernels need AVX512_BF16 and a C++ compiler",
)

BF16_ROUNDING = 2**-8
TECHNIQUES = [StreamInt8(), StreamInt4(group_size=128)]


@pytest.fixture(params=[nullcontext, partial(multiplying_bf16_in, torch.float32)], ids=["bf16", "fp32"])
def arithmetic(request):
    """In what dtype many rows are multiplied."""
    with request.param():
        yield "fp32" if widens() else "bf16"


@pytest.mark.parametrize("technique", TECHNIQUES, ids=str)
@pytest.mark.parametrize("channels", [4, 60, 64, 2048, 2052, 4100])
@pytest.mark.parametrize("leading", [(1,), (2,), (3,), (4,), (5,), (2, 3), (16,), (17,), (1, 1)])
def test_the_product_is_that_of_the_dequantised_weight_in_fp32(technique, channels, leading, arithmetic):
    parts = technique.quantise(torch.randn(channels, 256))
    x = torch.randn(*leading, 256).bfloat16()
    found = technique.linear(parts, None)(x)
    expected = x.float() @ technique.dequantise(parts).T
    assert found.shape == (*leading, channels)
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).norm() / expected.norm() < BF16_ROUNDING


@pytest.mark.parametrize(
    ("ours", "atens"),
    [(StreamInt8(), Int8()), (StreamInt4(group_size=128), Int4(group_size=128))],
    ids=["int8", "int4"],
)
def test_it_stands_for_the_very_weights_of_the_other_kernel(ours, atens):
    parts = atens.quantise(torch.randn(64, 256) + 0.3)
    assert (ours.scheme, set(ours.quantise(torch.randn(64, 256)))) == (atens.scheme, set(parts))
    x = torch.randn(1, 256).bfloat16()
    torch.testing.assert_close(ours.linear(parts, None)(x), atens.linear(parts, None)(x), rtol=2**-7, atol=1e-2)


@pytest.mark.parametrize("technique", TECHNIQUES, ids=str)
def test_every_weight_has_its_place(technique, arithmetic):
    weight = torch.randn(12, 256)
    parts = technique.quantise(weight)
    found = technique.linear(parts, None)(torch.eye(256).bfloat16())  # [K, N]: the weights one by one
    single = torch.stack([technique.linear(parts, None)(row[None])[0] for row in torch.eye(256).bfloat16()[:70]])
    expected = technique.dequantise(parts).T.bfloat16()
    torch.testing.assert_close(found, expected, rtol=2**-7, atol=1e-4)
    torch.testing.assert_close(single, expected[:70], rtol=2**-7, atol=1e-4)


@pytest.mark.parametrize("technique", TECHNIQUES, ids=str)
def test_many_rows_are_rounded_once_where_they_are_multiplied_in_fp32(technique, arithmetic):
    parts = technique.quantise(torch.randn(64, 256))
    x = torch.randn(64, 256).bfloat16()
    exact = (x.float() @ technique.dequantise(parts).T).bfloat16()
    as_exact = (technique.linear(parts, None)(x) == exact).float().mean().item()
    assert (as_exact > 0.95) is (arithmetic == "fp32")


@pytest.mark.parametrize("technique", TECHNIQUES, ids=str)
def test_the_bias_is_added(technique):
    parts, bias = technique.quantise(torch.randn(16, 256)), torch.randn(16)
    x = torch.randn(3, 256).bfloat16()
    torch.testing.assert_close(technique.linear(parts, bias)(x), technique.linear(parts, None)(x) + bias.bfloat16())


@pytest.mark.parametrize(
    ("technique", "out_features", "in_features", "reason"),
    [
        (StreamInt8(), 64, 96, "K=96 is not a multiple of 64"),
        (StreamInt8(), 6, 64, "N=6 is not a multiple of 4"),
        (StreamInt4(group_size=64), 64, 128, "group size 64 is not 128"),
        (StreamInt4(group_size=128), 64, 192, "K=192 is not a multiple of the group size 128"),
        (StreamInt4(group_size=128), 6, 128, "N=6 is not a multiple of 4"),
    ],
    ids=str,
)
def test_widths_that_the_kernel_cannot_take_are_refused(technique, out_features, in_features, reason):
    assert technique.refusal(out_features=out_features, in_features=in_features) == reason


@pytest.mark.parametrize("technique", TECHNIQUES, ids=str)
@pytest.mark.parametrize(
    "bad", [torch.ones(1, 128), torch.ones(1, 128).bfloat16(), torch.ones(128).bfloat16()], ids=str
)
def test_the_operator_refuses_activations_that_it_would_read_past_the_end_of(technique, bad):
    layer = technique.linear(technique.quantise(torch.randn(16, 256)), None)
    with pytest.raises(RuntimeError):
        layer.multiply(bad)


@pytest.mark.parametrize("technique", TECHNIQUES, ids=str)
def test_the_operator_keeps_torchs_contract(technique):
    layer = technique.linear(technique.quantise(torch.randn(16, 256)), None)
    x = torch.randn(2, 256).bfloat16()
    weights = layer.quantised if isinstance(technique, StreamInt8) else layer.packed
    operator = torch.ops.xeonperf.woq_int8 if isinstance(technique, StreamInt8) else torch.ops.xeonperf.woq_int4
    torch.library.opcheck(operator.default, (x, weights, layer.scales, False))


@pytest.mark.parametrize("woq", ["int8", "int4"])
def test_a_variant_asks_for_it_by_name(woq):
    variant = from_keywords({"woq": woq, "kernel": "stream"})
    assert variant.name.endswith("-stream")
    workload = Workload(
        name="tiny", build=lambda: nn.Linear(256, 64), inputs=lambda: Inputs(args=(torch.ones(1, 256),))
    )
    built = build(variant, workload, workload.phases[0])
    assert type(built.module).__name__.startswith("Stream")
