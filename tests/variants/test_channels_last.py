import pytest
import torch
from torch import nn

from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.channels_last import lay_out_inputs, lay_out_module
from pytest_xeonperf.variants.named import from_keywords
from pytest_xeonperf.workloads.protocol import Inputs, Workload


@pytest.fixture
def convolutions():
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 4, 1)).eval()


def is_channels_last(tensor):
    return tensor.is_contiguous(memory_format=torch.channels_last)


def test_the_numbers_stay_and_the_order_is_kept_to_the_end(convolutions):
    x = torch.randn(2, 3, 10, 6)
    with torch.no_grad():
        expected = convolutions(x)
        found = lay_out_module(convolutions)(*lay_out_inputs(Inputs(args=(x,))).args)
    torch.testing.assert_close(found, expected)
    assert is_channels_last(found)


def test_images_are_laid_out_in_any_nesting_and_other_arguments_left_alone():
    image, tokens = torch.randn(2, 3, 4, 5), torch.randn(2, 7, 8)
    laid = lay_out_inputs(Inputs(args=([image], tokens), kwargs={"deep": {"image": image}, "step": 3}))
    assert is_channels_last(laid.args[0][0])
    assert is_channels_last(laid.kwargs["deep"]["image"])
    assert torch.equal(laid.args[0][0], image)
    assert laid.args[1] is tokens
    assert laid.kwargs["step"] == 3


def test_a_variant_asks_for_it_and_keeps_it_through_the_cast(convolutions):
    variant = from_keywords({"channels_last": True})
    assert "nhwc" in variant.name
    workload = Workload(name="tiny", build=lambda: convolutions)
    built = build(variant, workload, workload.phases[0])
    assert is_channels_last(built.module[0].weight)
    assert built.module[0].weight.dtype is torch.bfloat16
    (x,) = prepared(Inputs(args=(torch.randn(2, 3, 4, 5),)), variant).args
    assert is_channels_last(x)
    assert x.dtype is torch.bfloat16
