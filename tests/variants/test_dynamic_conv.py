"""Convolutions that multiply bytes with bytes, against the FP32 convolution of what both sides stand for."""

import math
import shutil
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from pytest_xeonperf.errors import NotApplicableError, UsageError
from pytest_xeonperf.host import extension
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants import dynamic_conv, dynamic_int8
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.dynamic_conv import DynamicConv2d, quantise_convolutions
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.variants.woq_int8 import Int8
from pytest_xeonperf.workloads.protocol import Inputs, Workload

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512.rank or "avx512_vnni" not in read_cpu().flags or shutil.which("g++") is None,
    reason="the kernel needs AVX512_VNNI and a C++ compiler",
)

KEYWORDS = {"dtype": "fp32", "channels_last": True, "convolutions": "dynamic"}


def stands_for(layer):
    """The same convolution, its weights rounded to what the bytes stand for."""
    technique = Int8()
    rounded = technique.dequantise(technique.quantise(layer.weight.detach().flatten(1))).view_as(layer.weight)

    def convolve(images):
        step = images.abs().amax(dim=1, keepdim=True) / 127  # of each pixel
        in_bytes = (images / step.clamp(min=1e-30)).round() * step
        places = layer.stride, layer.padding, layer.dilation
        return functional.conv2d(in_bytes, rounded, layer.bias, *places)

    return convolve


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
@pytest.mark.parametrize(
    ("channels", "image", "places"),
    [
        pytest.param((64, 64), (1, 8, 8), {"kernel_size": 3, "padding": 1}, id="same size"),
        pytest.param((100, 130), (2, 9, 70), {"kernel_size": 3, "padding": 1}, id="widths filled up, a line in two"),
        pytest.param((64, 70), (2, 9, 12), {"kernel_size": 3, "stride": 2, "padding": 1}, id="every second pixel"),
        pytest.param((70, 64), (1, 7, 7), {"kernel_size": 1}, id="one tap"),
        pytest.param((64, 64), (1, 3, 3), {"kernel_size": 3}, id="one pixel left"),
        pytest.param((64, 64), (1, 20, 1), {"kernel_size": (3, 1), "padding": (1, 0)}, id="one column"),
        pytest.param(
            (64, 64),
            (1, 20, 21),
            {"kernel_size": (1, 5), "stride": (2, 3), "padding": (0, 2), "dilation": (1, 2)},
            id="no two sides alike",
        ),
        pytest.param((64, 64), (1, 2, 2), {"kernel_size": 3, "padding": 2}, id="more frame than image"),
        pytest.param((64, 64), (2, 120, 90), {"kernel_size": 3, "padding": 1}, id="strips, the last one shorter"),
        pytest.param(
            (70, 130), (2, 121, 90), {"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}, id="strips apart"
        ),
        pytest.param((64, 64), (1, 3, 4200), {"kernel_size": 3, "padding": 1}, id="strips of one line"),
    ],
)
def test_the_convolution_is_that_of_what_both_sides_stand_for(channels, image, places, dtype):
    torch.manual_seed(sum(channels))
    layer = nn.Conv2d(*channels, **places)
    images = torch.randn(image[0], channels[0], *image[1:]).to(dtype)
    found = DynamicConv2d(layer).to(dtype)(images)
    expected = stands_for(layer)(images.float())
    assert (found.shape, found.dtype) == (expected.shape, dtype)
    assert found.is_contiguous(memory_format=torch.channels_last)
    close = 2**-7 if dtype is torch.bfloat16 else 2**-11  # a byte may be rounded the other way
    assert (found.float() - expected).norm() <= close * expected.norm()


def test_rounding_both_sides_costs_about_a_hundredth():
    torch.manual_seed(0)
    layer, images = nn.Conv2d(128, 64, 3, padding=1), torch.randn(1, 128, 16, 16)
    expected = layer(images)
    assert 0.002 < (DynamicConv2d(layer)(images) - expected).norm() / expected.norm() < 0.015


def test_every_weight_has_its_place():
    torch.manual_seed(1)
    layer, one = nn.Conv2d(65, 66, (2, 3), bias=False), torch.zeros(65, 65, 2, 3)
    quantised = DynamicConv2d(layer)
    for tap in range(6):
        one.zero_()[torch.arange(65), torch.arange(65), tap // 3, tap % 3] = 1  # of image n channel n there
        found = quantised(one).flatten(1).T  # [N, C]
        expected = Int8().dequantise(Int8().quantise(layer.weight.detach().flatten(1))).view_as(layer.weight)
        torch.testing.assert_close(found, expected[:, :, tap // 3, tap % 3], rtol=1e-4, atol=1e-6)


def test_every_pixel_has_a_step_of_its_own():
    layer = nn.Conv2d(64, 64, 1, bias=False)
    sizes = torch.tensor([1e-20, 1.0, 1e20]).view(1, 1, 1, 3)
    images = torch.randn(1, 64, 1, 3)
    apart = DynamicConv2d(layer)(images * sizes) / sizes
    torch.testing.assert_close(apart, DynamicConv2d(layer)(images), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_stays_none_wherever_it_is_seen(bad):
    images = torch.randn(1, 64, 7, 7)
    images[0, 17, 3, 3] = bad
    found = DynamicConv2d(nn.Conv2d(64, 64, 3, padding=1))(images)
    assert found[..., 2:5, 2:5].isnan().all()
    assert found.isfinite().sum() == 64 * (49 - 9)


def test_images_of_zeros_give_the_bias_and_none_give_none():
    layer = nn.Conv2d(64, 70, 3, padding=1)
    quantised = DynamicConv2d(layer)
    assert torch.equal(quantised(torch.zeros(1, 64, 4, 4)), layer.bias.view(1, -1, 1, 1).expand(1, -1, 4, 4))
    assert quantised(torch.zeros(0, 64, 4, 4)).shape == (0, 70, 4, 4)


def test_one_thread_computes_what_two_do(set_threads):
    layer, images = DynamicConv2d(nn.Conv2d(64, 200, 3, padding=1)), torch.randn(3, 64, 70, 90)
    set_threads(2)
    two = layer(images)
    set_threads(1)
    assert torch.equal(layer(images), two)


def test_one_image_without_others_gives_one():
    layer, image = DynamicConv2d(nn.Conv2d(64, 70, 3)), torch.randn(64, 6, 5)
    assert torch.equal(layer(image), layer(image[None])[0])


GIVEN = {"kernel": [3, 3], "stride": [1, 1], "padding": [1, 1], "dilation": [1, 1]}


def given(images, **change):
    layer = DynamicConv2d(nn.Conv2d(100, 70, 3, padding=1)).to(images.dtype)
    parts = {"packed": layer.packed, "scales": layer.scales, "sums": layer.sums, "bias": layer.bias}
    lying = {"x": images.contiguous(memory_format=torch.channels_last)}
    return {**lying, **parts, **GIVEN, **change}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"x": torch.zeros(1, 200, 8, 8).to(memory_format=torch.channels_last)}, "other widths"),
        ({"x": torch.zeros(1, 100, 8, 8)}, "channels last"),
        ({"x": torch.zeros(1, 100, 8, 8).double().to(memory_format=torch.channels_last)}, "fp32 or bf16"),
        ({"x": torch.zeros(100, 8, 8)}, "channels last"),
        (
            {"x": torch.zeros(1, 0, 8, 8), "packed": torch.zeros(2, 0, 256, dtype=torch.int8)},
            "no channels|channels last",
        ),
        ({"kernel": [3, 5]}, "other widths"),
        ({"kernel": [0, 3]}, "kernel"),
        ({"stride": [0, 1]}, "stride"),
        ({"padding": [-1, 1]}, "padding"),
        ({"dilation": [9, 1]}, "smaller than the kernel"),
        ({"packed": torch.zeros(2, 9, 256, dtype=torch.int8)}, "other widths"),
        ({"scales": torch.zeros(200)}, "bias"),
        ({"scales": torch.zeros(200), "bias": None}, "other widths"),
        ({"sums": torch.zeros(2, 9, 32, dtype=torch.int32)}, "sums"),
        ({"bias": torch.zeros(70).bfloat16()}, "bias"),
    ],
)
def test_the_operator_refuses_what_it_would_read_past_the_end_of(change, complaint):
    with pytest.raises(RuntimeError, match=complaint):
        torch.ops.xeonperf.dynamic_conv(**given(torch.zeros(1, 100, 8, 8), **change))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_operator_keeps_torchs_contract(dtype):
    parts = given(torch.randn(2, 100, 6, 5).to(dtype), stride=[2, 1], dilation=[1, 2])
    torch.library.opcheck(torch.ops.xeonperf.dynamic_conv.default, (), parts)


def test_what_the_kernel_cannot_take_is_left_and_listed():
    class Own(nn.Conv2d):
        """Somebody's own, which may do more."""

    kept = {
        "few": nn.Conv2d(4, 64, 3),
        "grouped": nn.Conv2d(64, 64, 3, groups=2),
        "mirrored": nn.Conv2d(64, 64, 3, padding=1, padding_mode="reflect"),
        "named": nn.Conv2d(64, 64, 3, padding="same"),
        "own": Own(64, 64, 3),
        "hooked": nn.Conv2d(64, 64, 3),
        "patched": nn.Conv2d(64, 64, 3),
        "wide": nn.Conv2d((1 << 17) + 1, 64, 1, device="meta"),
    }
    kept["hooked"].register_forward_pre_hook(lambda _layer, images: images)
    kept["patched"].forward = kept["patched"].forward
    module, left = quantise_convolutions(nn.ModuleDict({**kept, "taken": nn.Conv2d(64, 64, 3), "other": nn.ReLU()}))
    assert isinstance(module["taken"], DynamicConv2d)
    assert all(module[name] is layer for name, layer in kept.items())
    assert [each.partition(":")[0] for each in left] == sorted(kept)
    assert "hooked: it has hooks" in left
    assert "patched: it has a forward of its own" in left


def test_parents_may_ask_it_what_they_ask_a_convolution():
    layer = nn.Conv2d(64, 96, (3, 1), stride=2, padding=1, dilation=2)
    quantised = DynamicConv2d(layer)
    names = "in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode"
    for name in names:
        assert getattr(quantised, name) == getattr(layer, name)
    assert tuple(quantised.weight.shape) == tuple(layer.weight.shape)
    assert "64, 96, kernel_size=(3, 1)" in repr(quantised)


def test_a_convolution_at_two_places_stays_shared_and_a_lone_one_is_replaced_itself():
    shared = nn.Conv2d(64, 64, 3)
    module, _ = quantise_convolutions(nn.ModuleList([shared, shared]))
    assert module[0] is module[1]
    assert isinstance(quantise_convolutions(nn.Conv2d(64, 64, 3))[0], DynamicConv2d)


def test_a_model_without_any_is_told_so():
    with pytest.raises(NotApplicableError, match=r"no convolution that can be quantised \(0: 3 channels to 64"):
        quantise_convolutions(nn.Sequential(nn.Conv2d(3, 64, 3), nn.Linear(3, 3)))


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_variant_asks_for_it_by_name_beside_linear_layers(dtype, compiled):
    torch.manual_seed(0)
    keywords = {**KEYWORDS, "dtype": dtype, "compile": compiled, "woq": "int8", "kernel": "dynamic"}
    variant = from_keywords(keywords)
    assert variant.name == f"{dtype}-sdpa-nhwc-{'compiled-' if compiled else ''}int8-dynamic-int8convs"
    model = nn.Sequential(nn.Conv2d(64, 96, 3, padding=1), nn.GELU(), nn.Flatten(), nn.Linear(96 * 4, 10))
    images = torch.randn(3, 64, 2, 2)
    expected = model(images)
    workload = Workload(name="both", build=lambda: model, inputs=lambda: Inputs(args=(images,)))
    phase = workload.phases[0]
    built = build(variant, workload, phase)
    found = built.bind(phase, prepared(phase.inputs(), variant))()
    assert not built.left_in_bf16
    assert built.module[0].weight.dtype is found.dtype
    assert built.module[0].weight.shape == (96, 64, 3, 3)
    assert (found.float() - expected).norm() < 0.03 * expected.norm()


@pytest.mark.parametrize("kernel", [{"kernel": "stream"}, {"woq": "int8", "kernel": "stream"}])
def test_convolutions_and_linear_layers_that_are_left_are_all_listed(kernel):
    model = nn.Sequential(nn.Conv2d(3, 64, 3), nn.Conv2d(64, 64, 3), nn.Flatten(1), nn.Linear(64, 64), nn.Linear(64, 1))
    model[4].register_forward_hook(lambda *_: None)
    workload = Workload(name="two", build=lambda: model, inputs=lambda: Inputs(args=(torch.ones(1, 3, 5, 5),)))
    variant = from_keywords({"channels_last": True, "convolutions": "dynamic", **kernel})
    left = build(variant, workload, workload.phases[0]).left_in_bf16
    assert sorted(each.partition(":")[0] for each in left) == ["0", "4"]


def test_a_processor_that_cannot_multiply_bytes_is_told_so(monkeypatch):
    weak = replace(read_cpu(), flags=read_cpu().flags - {"avx512_vnni"})
    monkeypatch.setattr(extension, "read_cpu", lambda: weak)
    monkeypatch.setattr(dynamic_conv, "load_kernel", dynamic_int8.load_kernel.__wrapped__)
    with pytest.raises(NotApplicableError, match="convolutions='dynamic' needs AVX512_VNNI"):
        DynamicConv2d(nn.Conv2d(64, 64, 3))


@pytest.mark.parametrize(
    ("keywords", "complaint"),
    [
        ({"runtime": "openvino"}, "runtime='openvino' has no convolutions='dynamic'"),
        ({"dtype": "fp32"}, "convolutions='dynamic' without channels_last=True"),
    ],
)
def test_a_variant_that_cannot_be_meant_is_refused(keywords, complaint):
    with pytest.raises(UsageError, match=complaint):
        from_keywords({"convolutions": "dynamic", **keywords})
