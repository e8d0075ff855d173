"""The BF16 kernel of our own, against the FP32 product."""

import shutil

import pytest
import torch
from torch import nn

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants.apply import build
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.variants.stream_bf16 import StreamLinear, stream_linears
from pytest_xeonperf.workloads.protocol import Inputs, Workload

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512_BF16.rank or shutil.which("g++") is None,
    reason="the kernel needs AVX512_BF16 and a C++ compiler",
)

TWO_ROUNDINGS = 2 * 2**-8  # of the product, and with the bias


def _layer(out_features, in_features=96, **options):
    return nn.Linear(in_features, out_features, **options).bfloat16().requires_grad_(requires_grad=False)


@pytest.mark.parametrize("channels", [4, 60, 64, 2048, 2052, 4100])
@pytest.mark.parametrize("leading", [(), (1,), (2,), (3,), (4,), (5,), (2, 3), (16,), (17,), (1, 1)])
def test_the_product_is_that_of_the_weight_in_fp32(channels, leading):
    layer = _layer(channels)
    streaming, left = stream_linears(layer)
    assert (type(streaming), left) == (StreamLinear, ())
    x = torch.randn(*leading, 96).bfloat16()
    found = streaming(x)
    expected = nn.functional.linear(x.float(), layer.weight.float(), layer.bias.float())
    assert (found.shape, found.dtype) == ((*leading, channels), torch.bfloat16)
    assert (found.float() - expected).norm() / expected.norm() < TWO_ROUNDINGS


def test_every_weight_has_its_place():
    layer = _layer(12, bias=False)
    streaming = stream_linears(layer)[0]
    single = torch.stack([streaming(row) for row in torch.eye(96).bfloat16()])
    assert torch.equal(single, layer.weight.T)


def test_weights_are_shared_also_with_an_embedding():
    model = nn.ModuleDict({"embed": nn.Embedding(64, 96), "head": nn.Linear(96, 64, bias=False)}).bfloat16()
    model["head"].weight = model["embed"].weight
    model = stream_linears(model)[0]
    assert isinstance(model["head"], StreamLinear)
    assert model["head"].weight is model["embed"].weight


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (_layer(64, 48), "K=48 is not a multiple of 32"),
        (_layer(6, 64), "N=6 is not a multiple of 4"),
        (nn.Linear(64, 64), "its weights are torch.float32"),
    ],
    ids=["K", "N", "dtype"],
)
def test_what_the_kernel_cannot_take_is_left_and_listed(layer, reason):
    model, left = stream_linears(nn.Sequential(layer, _layer(64)))
    assert model[0] is layer
    assert left == (f"0: {reason}",)
    with pytest.raises(NotApplicableError, match=reason):
        stream_linears(nn.Sequential(layer))


@pytest.mark.parametrize("bad", [torch.ones(1, 64), torch.ones(1, 96), torch.ones(17, 96), torch.ones(96)], ids=str)
def test_the_operator_refuses_activations_that_it_would_read_past_the_end_of(bad):
    streaming = stream_linears(_layer(16))[0]
    for x in (bad, bad.bfloat16()) if bad.shape != (1, 96) else (bad,):
        with pytest.raises(RuntimeError):
            torch.ops.xeonperf.linear_bf16(x, streaming.weight)


def test_the_operator_keeps_torchs_contract():
    streaming = stream_linears(_layer(16))[0]
    x = torch.randn(2, 96).bfloat16()
    torch.library.opcheck(torch.ops.xeonperf.linear_bf16.default, (x, streaming.weight))


def test_a_variant_asks_for_it_by_name():
    variant = from_keywords({"compile": True, "kernel": "stream"})
    assert variant.name == "bf16-sdpa-compiled-stream"
    workload = Workload(name="tiny", build=lambda: nn.Linear(96, 64), inputs=lambda: Inputs(args=(torch.ones(1, 96),)))
    built = build(variant, workload, workload.phases[0])
    assert isinstance(built.module, StreamLinear)
    assert built.weight_bytes == 2 * (96 * 64 + 64)


def test_it_is_a_kernel_for_bf16():
    with pytest.raises(UsageError, match="kernel='stream' runs in BF16, not fp32"):
        from_keywords({"dtype": "fp32", "kernel": "stream"})
