"""Segment Anything's attention by SDPA against upstream's."""

from __future__ import annotations

import copy

import pytest
import torch

from pytest_xeonperf.workloads import sam_attention
from pytest_xeonperf.workloads.protocol import Attention
from pytest_xeonperf.workloads.sam_attention import switch
from pytest_xeonperf.workloads.segment_anything_modules import modeling


@pytest.fixture
def relative():
    """Upstream's attention on a grid of 5 x 7 with position tables that matter."""
    torch.manual_seed(0)
    made = modeling().image_encoder.Attention(12, num_heads=3, use_rel_pos=True, input_size=(5, 7))
    made.rel_pos_h.data.normal_()
    made.rel_pos_w.data.normal_()
    return made.eval().requires_grad_(requires_grad=False)


@pytest.fixture
def bands(monkeypatch):
    """A mask for four queries, of anything above six tokens."""
    monkeypatch.setattr(sam_attention, "_BAND_QUERIES", 4)
    monkeypatch.setattr(sam_attention, "_WHOLE_TOKENS", 6)


def test_a_window_is_what_upstream_computes(relative):
    x = torch.randn(3, 5, 7, 12)
    expected = relative(x)
    torch.testing.assert_close(switch(relative, Attention.SDPA)(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("bands")
def test_bands_of_queries_are_what_upstream_computes(relative):
    x = torch.randn(2, 5, 7, 12)
    expected = relative(x)
    torch.testing.assert_close(switch(relative, Attention.SDPA)(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("bands")
def test_in_bf16_it_stays_close(relative, cosine):
    x = torch.randn(2, 5, 7, 12)
    expected = relative(x)
    fused = switch(relative, Attention.SDPA).bfloat16()
    assert cosine(fused(x.bfloat16()), expected) > 0.999


@pytest.fixture
def masks(monkeypatch):
    """Every mask that is given to torch's kernel."""
    given = []
    fused = sam_attention.scaled_dot_product_attention

    def watched(*args, attn_mask, **kwargs):
        given.append(attn_mask)
        return fused(*args, attn_mask=attn_mask, **kwargs)

    monkeypatch.setattr(sam_attention, "scaled_dot_product_attention", watched)
    return given


@pytest.mark.usefixtures("bands")
def test_no_mask_is_ever_made_for_more_than_a_band_of_one_image(relative, masks):
    switch(relative, Attention.SDPA)(torch.randn(2, 5, 7, 12))
    assert len(masks) == 2 * 9
    shapes = [mask.shape for mask in masks]
    assert all(batch == 1 and queries <= 4 and keys == 35 for batch, _, queries, keys in shapes)


@pytest.fixture
def few_windows(monkeypatch):
    """Room for the masks of two windows of 5 x 7 in FP32, and not for those of three."""
    monkeypatch.setattr(sam_attention, "_MASK_BYTES", 2 * 3 * 35 * 35 * 4 + 1)


@pytest.mark.usefixtures("few_windows")
@pytest.mark.parametrize("windows", [1, 2, 5, 6])
def test_windows_in_several_calls_are_what_upstream_computes(relative, windows, masks):
    x = torch.randn(windows, 5, 7, 12)
    expected = relative(x)
    torch.testing.assert_close(switch(relative, Attention.SDPA)(x), expected, atol=1e-5, rtol=1e-5)
    assert [mask.shape[0] for mask in masks] == {1: [1], 2: [2], 5: [2, 2, 1], 6: [2, 2, 2]}[windows]


@pytest.mark.usefixtures("few_windows")
def test_windows_in_several_calls_are_captured_as_one_graph(relative, capture):
    x = torch.randn(5, 5, 7, 12)
    fused = switch(relative, Attention.SDPA)
    torch.testing.assert_close(capture(fused)(x), fused(x))


@pytest.mark.parametrize(
    ("images", "dtype", "calls"),
    [(1, torch.bfloat16, 1), (1, torch.float32, 1), (16, torch.bfloat16, 8), (16, torch.float32, 15)],
)
def test_no_mask_of_vit_hs_windows_exceeds_64_mib(images, dtype, calls, masks):
    q = torch.empty(25 * images, 16, 14 * 14, 80, dtype=dtype, device="meta")
    side = torch.empty(25 * images, 16, 14 * 14, 14, dtype=dtype, device="meta")
    assert sam_attention._attend_with_bias(q, q, q, side, side).shape == q.shape
    assert max(mask.nbytes for mask in masks) <= 64 * 2**20
    assert len(masks) == calls
    assert sum(mask.shape[0] for mask in masks) == 25 * images


def test_attention_without_position_tables_is_what_upstream_computes():
    plain = modeling().image_encoder.Attention(12, num_heads=3).eval()
    x = torch.randn(2, 3, 4, 12)
    expected = plain(x)
    torch.testing.assert_close(switch(plain, Attention.SDPA)(x), expected, atol=1e-5, rtol=1e-5)


def test_the_decoders_attention_is_what_upstream_computes():
    tokens = modeling().transformer.Attention(16, num_heads=2, downsample_rate=2).eval()
    q, k, v = torch.randn(2, 3, 16), torch.randn(2, 9, 16), torch.randn(2, 9, 16)
    expected = tokens(q=q, k=k, v=v)
    torch.testing.assert_close(switch(tokens, Attention.SDPA)(q=q, k=k, v=v), expected, atol=1e-5, rtol=1e-5)


def test_plain_is_upstreams_own_code_again(relative):
    switch(switch(relative, Attention.SDPA), Attention.PLAIN)
    assert relative.forward.__func__ is modeling().image_encoder.Attention.forward


def test_other_instances_are_left_alone(relative):
    other = copy.deepcopy(relative)
    switch(relative, Attention.SDPA)
    assert other.forward.__func__ is modeling().image_encoder.Attention.forward


def test_a_copy_of_a_switched_module_uses_its_own_weights(relative):
    copied = copy.deepcopy(switch(relative, Attention.SDPA))
    copied.proj.weight.zero_()
    x = torch.randn(1, 5, 7, 12)
    assert torch.equal(copied(x), copied.proj.bias.expand(1, 5, 7, 12))
    assert not torch.equal(relative(x), copied(x))


@pytest.mark.usefixtures("bands")
def test_it_is_captured_as_one_graph(relative, capture):
    x = torch.randn(2, 5, 7, 12)
    fused = switch(relative, Attention.SDPA)
    torch.testing.assert_close(capture(fused)(x), fused(x))
