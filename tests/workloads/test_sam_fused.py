"""Segment Anything's blocks around our kernel, against upstream's in FP32."""

import copy
import re
import shutil
from contextlib import nullcontext
from functools import partial

import pytest
import torch
from torch import nn
from torch._inductor.utils import run_and_get_code

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.workloads.arithmetic import multiplying_bf16_in
from pytest_xeonperf.workloads.protocol import Attention
from pytest_xeonperf.workloads.sam_attention import switch
from pytest_xeonperf.workloads.segment_anything_modules import modeling

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512_BF16.rank or shutil.which("g++") is None,
    reason="the kernel needs AVX512_BF16 and a C++ compiler",
)


@pytest.fixture
def make_block():
    """Makes an encoder block whose every weight matters."""

    def make(*, side, window, heads=2, width=32, table_side=0, **fields):
        torch.manual_seed(0)
        region = window or table_side or side
        block = modeling().image_encoder.Block(
            heads * width, num_heads=heads, use_rel_pos=True, window_size=window, input_size=(region, region), **fields
        )
        for name, parameter in block.named_parameters():
            spread = 0.5 if "rel_pos" in name or parameter.dim() == 1 else parameter.shape[-1] ** -0.5
            parameter.data.normal_(std=spread)
        return block.bfloat16().float().eval().requires_grad_(requires_grad=False)

    return make


@pytest.fixture
def arithmetic(request):
    """Puts the setting in force that says in what BF16 tensors are multiplied."""
    with request.param():
        yield


def fused(block, dtype=torch.bfloat16):
    return switch(copy.deepcopy(block).to(dtype), Attention.FUSED)


# how far its results may be from upstream's
IN_EVERY_WAY = pytest.mark.parametrize(
    ("arithmetic", "dtype", "least"),
    [
        (nullcontext, torch.bfloat16, 0.9998),
        (nullcontext, torch.float32, 1 - 1e-6),
        (partial(multiplying_bf16_in, torch.float32), torch.bfloat16, 0.9998),
        (partial(multiplying_bf16_in, torch.int8), torch.bfloat16, 0.9995),
    ],
    ids=["bf16", "fp32", "bf16 in fp32", "bf16 in bytes"],
    indirect=["arithmetic"],
)


# the whole image, windows that fit, that hang over the edge, of an odd number of tokens, and several tiles of keys
@pytest.mark.parametrize(
    "sizes",
    [(8, 0, 16), (12, 4, 32), (10, 4, 64), (14, 14, 80), (9, 7, 48), (5, 0, 16), (26, 0, 16), (40, 0, 32), (70, 0, 16)],
)
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.usefixtures("arithmetic")
@IN_EVERY_WAY
def test_a_block_is_what_upstream_computes(make_block, cosine, *, sizes, batch, dtype, least):
    side, window, width = sizes
    block = make_block(side=side, window=window, width=width)
    x = torch.randn(batch, side, side, 2 * width).to(dtype)
    expected = block(x.float())
    found = fused(block, dtype)(x)
    assert found.dtype is dtype
    assert cosine(found, expected) > least


@pytest.mark.parametrize("left_out", ["attn.rel_pos_h", "attn.rel_pos_w", "attn.qkv.bias"])
@pytest.mark.parametrize("window", [0, 4])
def test_leaving_out_a_position_table_or_a_bias_shows(make_block, cosine, left_out, window):
    block = make_block(side=10, window=window)
    x = torch.randn(1, 10, 10, 64).bfloat16()
    expected = block(x.float())
    block.get_parameter(left_out).data.zero_()
    assert cosine(fused(block)(x), expected) < 0.999


@pytest.mark.usefixtures("arithmetic")
@IN_EVERY_WAY
def test_a_table_of_another_size_is_interpolated_as_upstream_does(make_block, cosine, dtype, least):
    block = make_block(side=10, window=0, table_side=6)
    x = torch.randn(1, 10, 10, 64).to(dtype)
    assert cosine(fused(block, dtype)(x), block(x.float())) > least


def test_in_bytes_a_row_of_an_image_may_be_longer_than_a_tile(make_block, cosine):
    fused(make_block(side=8, window=0))
    torch.manual_seed(0)
    projected, bias = torch.randn(1, 2, 600, 48).bfloat16(), torch.zeros(48).bfloat16()
    given = (projected, bias, torch.randn(3, 16).bfloat16(), torch.randn(1199, 16).bfloat16(), 1, 0, 0.25)
    expected = torch.ops.xeonperf.rel_pos_attention(*(each.float() for each in given[:4]), *given[4:], in_fp32=False)
    assert cosine(torch.ops.xeonperf.rel_pos_attention_int8(*given), expected) > 0.9995


def test_in_bytes_what_is_no_number_stays_in_its_head(make_block):
    fused(make_block(side=10, window=4))
    torch.manual_seed(0)
    projected, bias = torch.randn(1, 10, 10, 192).bfloat16(), torch.randn(192).bfloat16()
    tables = torch.randn(2, 7, 32).bfloat16()
    projected[0, 0, 0, 5] = torch.nan  # of the first head's query in the first window
    found = torch.ops.xeonperf.rel_pos_attention_int8(projected, bias, *tables, 2, 4, 0.2)
    assert found[0, 0, 0, :32].isnan().all()
    found[0, 0, 0, :32] = 0.0
    assert found.isfinite().all()


def test_a_projection_without_a_bias_pads_with_zeros(make_block, cosine):
    block = make_block(side=10, window=4, qkv_bias=False)
    x = torch.randn(1, 10, 10, 64).bfloat16()
    assert cosine(fused(block)(x), block(x.float())) > 0.9998


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize(
    ("arithmetic", "dtype", "least"),
    [
        (nullcontext, torch.bfloat16, 0.99),
        (nullcontext, torch.float32, 0.9999),
        (partial(multiplying_bf16_in, torch.int8), torch.bfloat16, 0.95),
    ],
    ids=["bf16", "fp32", "bf16 in bytes"],
    indirect=["arithmetic"],
)
def test_logits_far_apart_neither_overflow_nor_vanish(make_block, cosine, dtype, least):
    block = make_block(side=26, window=0, width=16)
    block.attn.qkv.weight.mul_(30)
    x = torch.randn(1, 26, 26, 32).to(dtype)
    found = fused(block, dtype)(x)
    assert torch.isfinite(found).all()
    assert cosine(found, block(x.float())) > least


def test_one_thread_computes_what_two_do(make_block, set_threads):
    block = fused(make_block(side=26, window=0))
    x = torch.randn(2, 26, 26, 64).bfloat16()
    set_threads(2)
    two = block(x)
    set_threads(1)
    assert torch.equal(block(x), two)


def test_compiled_between_convolutions_the_channels_of_a_token_stay_together(make_block, cpp_compiler):
    blocks = nn.Sequential(*(fused(make_block(side=8, window=window, heads=3)) for window in (0, 4, 0, 4)))
    first, last = (nn.Conv2d(96, 96, 1).bfloat16().requires_grad_(requires_grad=False) for _ in range(2))

    def encode(image):
        return last(blocks(first(image).permute(0, 2, 3, 1)).permute(0, 3, 1, 2))

    image = torch.randn(1, 96, 8, 8).bfloat16()
    with torch.no_grad():
        found, sources = run_and_get_code(torch.compile(encode), image)
    torch.testing.assert_close(found, encode(image), rtol=0.05, atol=0.05)
    of_tokens = re.findall(r"empty_strided_cpu\(\([\d, ]+, 96\), \(([\d, ]+)\)", "".join(sources))
    assert {strides.rpartition(", ")[2] for strides in of_tokens} == {"1"}


def test_other_attentions_undo_it(make_block):
    block = make_block(side=10, window=4)
    x = torch.randn(1, 10, 10, 64)
    expected = block(x)
    plain = switch(switch(copy.deepcopy(block), Attention.FUSED), Attention.PLAIN)
    assert torch.equal(plain(x), expected)


def test_a_width_that_is_none_of_the_kernels_is_refused(make_block):
    with pytest.raises(NotApplicableError, match="heads of 24 channels"):
        switch(make_block(side=8, window=0, width=24), Attention.FUSED)


TENSORS = {"projected", "bias", "table_h", "table_w"}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda given: {**given, "projected": given["projected"].float()}, "contiguous, all of"),
        (
            lambda given: {name: each.double() if name in TENSORS else each for name, each in given.items()},
            "all of them",
        ),
        (lambda given: {**given, "projected": given["projected"].transpose(1, 2)}, "contiguous"),
        (lambda given: {**given, "table_h": given["table_h"][:-1].contiguous()}, "tables"),
        (lambda given: {**given, "heads": 3}, "channels of a head"),
    ],
)
def test_the_operator_refuses_what_it_would_read_past_the_end_of(make_block, change, complaint):
    fused(make_block(side=8, window=0))
    given = {
        "projected": torch.zeros(1, 8, 8, 192, dtype=torch.bfloat16),
        "bias": torch.zeros(192, dtype=torch.bfloat16),
        "table_h": torch.zeros(15, 32, dtype=torch.bfloat16),
        "table_w": torch.zeros(15, 32, dtype=torch.bfloat16),
        "heads": 2,
        "window": 0,
        "scale": 1.0,
        "in_fp32": False,
    }
    torch.ops.xeonperf.rel_pos_attention(**given)
    with pytest.raises(RuntimeError, match=complaint):
        torch.ops.xeonperf.rel_pos_attention(**change(given))
    del given["in_fp32"]
    torch.ops.xeonperf.rel_pos_attention_int8(**given)
    with pytest.raises(RuntimeError, match=complaint):
        torch.ops.xeonperf.rel_pos_attention_int8(**change(given))


def test_the_operator_keeps_torchs_contract(make_block):
    fused(make_block(side=8, window=0))
    given = (torch.randn(1, 8, 8, 96).bfloat16(), torch.randn(96).bfloat16(), *(torch.randn(7, 16).bfloat16(),) * 2)
    torch.library.opcheck(torch.ops.xeonperf.rel_pos_attention.default, (*given, 2, 4, 0.25, False))
    torch.library.opcheck(torch.ops.xeonperf.rel_pos_attention_int8.default, (*given, 2, 4, 0.25))
