"""W4A16 against the FP32 product of the weights it stands for, in all of the kernel's layouts."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_xeonperf.variants.spec import GROUP_SIZES
from pytest_xeonperf.variants.woq_int4 import Int4, pack

BF16_ROUNDING = 2**-8


@pytest.mark.parametrize("group_size", GROUP_SIZES)
@pytest.mark.parametrize("channels", [16, 32, 48, 64, 80, 96, 112, 128, 192])
@pytest.mark.parametrize("leading", [(1,), (5,), (2, 3)])
def test_the_product_is_that_of_the_dequantised_weight_in_fp32(group_size, channels, leading):
    technique = Int4(group_size=group_size)
    parts = technique.quantise(torch.randn(channels, 256))
    x = torch.randn(*leading, 256).bfloat16()
    found = technique.linear(parts, None)(x)
    expected = x.float() @ technique.dequantise(parts).T
    assert found.shape == (*leading, channels)
    assert found.dtype == torch.bfloat16
    assert (found.float() - expected).norm() / expected.norm() < BF16_ROUNDING


def test_the_bias_is_added():
    technique = Int4(group_size=32)
    parts, bias = technique.quantise(torch.randn(16, 32)), torch.randn(16)
    x = torch.randn(3, 32).bfloat16()
    torch.testing.assert_close(technique.linear(parts, bias)(x), technique.linear(parts, None)(x) + bias.bfloat16())


@given(
    seed=st.integers(0, 2**32 - 1),
    group_size=st.sampled_from(GROUP_SIZES),
    groups=st.integers(1, 3),
    offset=st.floats(-2, 2),
)
@settings(max_examples=50)
def test_no_weight_is_further_off_than_half_a_step_and_the_rounding_of_scale_and_zero(seed, group_size, groups, offset):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(4, groups * group_size, generator=generator) + offset
    technique = Int4(group_size=group_size)
    parts = technique.quantise(weight)
    step = parts["scales"].float().repeat_interleave(group_size, dim=1)
    zero = parts["zeros"].float().repeat_interleave(group_size, dim=1)
    allowed = step * (0.5 + 15 * BF16_ROUNDING) + zero.abs() * BF16_ROUNDING
    assert ((weight - technique.dequantise(parts)).abs() <= allowed * 1.001).all()


def test_a_group_of_equal_weights_is_exact_in_bf16():
    technique = Int4(group_size=32)
    weight = torch.full((16, 64), 0.375)
    weight[:, 32:] = 0
    assert torch.equal(technique.dequantise(technique.quantise(weight)), weight)


def test_sixteen_levels_are_exact():
    technique = Int4(group_size=32)
    weight = (torch.arange(32) % 16 - 8).float().repeat(16, 1)
    assert torch.equal(technique.dequantise(technique.quantise(weight)), weight)


def test_a_byte_holds_the_even_column_low_and_the_odd_one_high():
    technique = Int4(group_size=32)
    weight = torch.zeros(16, 32)
    weight[:, 1] = 15
    halves = technique.quantise(weight)["weight"]
    assert halves[0, 0] == 0xF0
    assert (halves[:, 1:] == 0).all()


def test_the_weight_that_is_quantised_stays_what_it_is():
    weight = torch.randn(200, 64)
    before = weight.clone()
    Int4(group_size=32).quantise(weight)
    assert torch.equal(weight, before)


def test_many_rows_are_quantised_in_blocks_to_the_same_as_each_alone():
    technique = Int4(group_size=32)
    weight = torch.randn(300, 64)
    for name, part in technique.quantise(weight).items():
        alone = torch.cat([technique.quantise(row[None])[name] for row in weight])
        assert torch.equal(part, alone)


def test_packing_in_blocks_gives_the_layout_of_packing_at_once():
    halves = torch.randint(0, 256, (1024 + 80, 16), dtype=torch.uint8)
    q = torch.stack((halves & 15, halves >> 4), dim=-1).flatten(-2).int()
    assert torch.equal(pack(halves), torch.ops.aten._convert_weight_to_int4pack_for_cpu(q, 1))


@pytest.mark.parametrize("group_size", GROUP_SIZES)
def test_a_width_that_is_no_multiple_of_the_group_size_is_refused(group_size):
    technique = Int4(group_size=group_size)
    assert technique.refusal(out_features=16, in_features=group_size) == ""
    refused = technique.refusal(out_features=16, in_features=group_size + 16)
    assert refused == f"K={group_size + 16} is not a multiple of the group size {group_size}"


def test_output_channels_that_are_no_multiple_of_16_are_refused():
    assert Int4(group_size=32).refusal(out_features=24, in_features=32) == "N=24 is not a multiple of 16"


@pytest.mark.parametrize(("group_size", "bits"), [(32, 5.0), (64, 4.5), (128, 4.25)])
def test_a_weight_takes_four_bits_and_its_share_of_scale_and_zero(group_size, bits):
    technique = Int4(group_size=group_size)
    layer = technique.linear(technique.quantise(torch.randn(64, 256)), None)
    assert sum(buffer.nbytes for buffer in layer.buffers()) * 8 / (64 * 256) == bits
