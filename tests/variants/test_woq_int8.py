"""W8A16 against the FP32 product of the weights it stands for."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.variants.woq_int8 import Int8, WOQInt8Linear

BF16_ROUNDING = 2**-8


def stored(weight: torch.Tensor) -> tuple[nn.Module, torch.Tensor, dict[str, torch.Tensor]]:
    parts = Int8().quantise(weight)
    return Int8().linear(parts, None), Int8().dequantise(parts), parts


@pytest.mark.parametrize("leading", [(1,), (3,), (5,), (2, 7), (1, 1, 3), ()])
@pytest.mark.parametrize(("channels", "width"), [(7, 16), (64, 96), (33, 80)])
def test_the_product_is_that_of_the_dequantised_weight_in_fp32(leading, channels, width):
    layer, weight, _ = stored(torch.randn(channels, width))
    x = torch.randn(*leading, width).bfloat16()
    expected = x.float() @ weight.T
    found = layer(x)
    assert found.shape == (*leading, channels)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=BF16_ROUNDING, atol=1e-2)


def test_rows_that_do_not_lie_side_by_side_in_memory_are_multiplied_all_the_same():
    layer, weight, _ = stored(torch.randn(8, 32))
    x = torch.randn(32, 5).bfloat16().T
    torch.testing.assert_close(layer(x).float(), x.float() @ weight.T, rtol=BF16_ROUNDING, atol=1e-2)


def test_the_bias_is_added():
    weight, bias = torch.randn(8, 32), torch.randn(8)
    parts = Int8().quantise(weight)
    x = torch.randn(3, 32).bfloat16()
    with_bias, without = Int8().linear(parts, bias), Int8().linear(parts, None)
    torch.testing.assert_close(with_bias(x), without(x) + bias.bfloat16())


@given(
    seed=st.integers(0, 2**32 - 1), channels=st.integers(1, 5), sixteens=st.integers(1, 4), scale=st.floats(1e-4, 1e4)
)
@settings(max_examples=50)
def test_no_weight_is_further_off_than_half_a_step_and_the_rounding_of_the_scale(seed, channels, sixteens, scale):
    weight = torch.randn(channels, 16 * sixteens, generator=torch.Generator().manual_seed(seed)) * scale
    _, dequantised, parts = stored(weight)
    step = parts["scales"].float()[:, None]
    # Rounding the scale down to BF16 clips the largest weight by at most 127 times that rounding.
    assert ((weight - dequantised).abs() <= step * (0.5 + 127 * BF16_ROUNDING) * 1.001).all()


def test_an_output_channel_of_zeros_stays_zero():
    weight = torch.randn(3, 16)
    weight[1] = 0
    _, dequantised, _ = stored(weight)
    assert (dequantised[1] == 0).all()
    assert dequantised.isfinite().all()


def test_the_weight_that_is_quantised_stays_what_it_is():
    weight = torch.randn(200, 64)
    before = weight.clone()
    Int8().quantise(weight)
    assert torch.equal(weight, before)


def test_many_rows_are_quantised_in_blocks_to_the_same_as_each_alone():
    weight = torch.randn(2050, 16)
    parts = Int8().quantise(weight)
    alone = Int8().quantise(weight[-1:])
    assert torch.equal(parts["weight"][-1:], alone["weight"])
    assert torch.equal(parts["scales"][-1:], alone["scales"])


def test_bf16_and_fp32_weights_of_equal_value_are_quantised_alike():
    weight = torch.randn(4, 32).bfloat16()
    assert torch.equal(Int8().quantise(weight)["weight"], Int8().quantise(weight.float())["weight"])


@pytest.mark.parametrize("width", [72, 100, 20, 18, 8])
def test_a_width_that_would_crash_the_kernel_is_refused(width):
    assert Int8().refusal(out_features=8, in_features=width) == f"K={width} is not a multiple of 16"


@pytest.mark.parametrize("width", [72, 8])
def test_a_layer_that_would_crash_the_kernel_cannot_be_made(width):
    with pytest.raises(DataError, match=f"K={width} is not a multiple of 16"):
        Int8().linear({"weight": torch.ones(8, width, dtype=torch.int8), "scales": torch.ones(8)}, None)


def test_scales_that_are_not_one_for_each_channel_are_refused():
    with pytest.raises(DataError, match=r"scales \[7\], not torch\.int8 \[N, K\] and \[N\]"):
        WOQInt8Linear(torch.ones(8, 16, dtype=torch.int8), torch.ones(7), None)


def test_any_number_of_output_channels_will_do():
    assert all(Int8().refusal(out_features=channels, in_features=16) == "" for channels in range(1, 70))
