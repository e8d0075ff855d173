"""The mask decoder's attention to few tokens through our kernel, against torch's attention in FP32."""

import copy
import math
import shutil

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.named import REFERENCE, from_keywords
from pytest_xeonperf.workloads import sam, sam_few_keys
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention
from pytest_xeonperf.workloads.sam_attention import switch
from pytest_xeonperf.workloads.segment_anything_modules import modeling

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512_BF16.rank or shutil.which("g++") is None,
    reason="the kernel needs AVX512_BF16 and a C++ compiler",
)

KERNEL = "few_keys_attention"


@pytest.fixture(autouse=True)
def loaded():
    sam_few_keys.load()


def drawn(*, batch=1, queries=33, keys=8, channels=128):
    """Query bf16 [B, Q, C], keys and values bf16 [B, K, C]."""
    torch.manual_seed(queries)
    shapes = (batch, queries, channels), (batch, keys, channels), (batch, keys, channels)
    return tuple(torch.randn(shape).bfloat16() for shape in shapes)


def expected(query, key, value, heads):
    """The same in FP32, heads apart."""
    apart = [each.float().unflatten(2, (heads, -1)).transpose(1, 2) for each in (query, key, value)]
    return scaled_dot_product_attention(*apart).transpose(1, 2).flatten(2)


def assert_near(found, wanted):
    assert found.dtype is torch.bfloat16
    torch.testing.assert_close(found.float(), wanted, rtol=2**-7, atol=2**-8)


@pytest.mark.parametrize(
    "sizes",
    [
        {"queries": 1},
        {"queries": 15},
        {"queries": 16},
        {"queries": 400, "batch": 3},
        {"keys": 1},
        {"keys": 17},
        {"keys": 64},
        {"channels": 16},
        {"channels": 80},
        {"channels": 384},
        {"queries": 129, "keys": 11, "channels": 272, "batch": 2},
    ],
    ids=str,
)
def test_it_is_what_torch_computes(sizes):
    given = drawn(**sizes)
    assert_near(sam_few_keys.attend(*given, 8), expected(*given, 8))


def test_tensors_need_not_be_contiguous():
    query, key, value = drawn(batch=2)
    apart = (query.mT.contiguous().mT, key.mT.contiguous().mT, value.mT.contiguous().mT)
    assert torch.equal(sam_few_keys.attend(*apart, 8), sam_few_keys.attend(query, key, value, 8))


@pytest.mark.parametrize("times", [30, -30])
def test_scores_far_apart_neither_overflow_nor_vanish(times):
    query, key, value = drawn(channels=16)
    found = sam_few_keys.attend(query * times, key * 10, value, 1)
    assert torch.isfinite(found).all()
    best = (query.float() * times @ (key.float() * 10).mT).argmax(dim=-1)[0]
    assert torch.equal(found[0], value[0, best])


@pytest.mark.parametrize("where", [0, 3, 7])
@pytest.mark.parametrize("part", range(3), ids=["query", "key", "value"])
def test_what_is_no_number_stays_none(part, where):
    given = drawn(channels=32)
    given[part][0, where, 5] = math.nan
    found = sam_few_keys.attend(*given, 2)
    assert found[0, where, :16].isnan().any()
    assert found[0, :, 16:].isfinite().all()


def test_one_thread_computes_what_two_do(set_threads):
    given = drawn(queries=1000, batch=2)
    set_threads(2)
    two = sam_few_keys.attend(*given, 8)
    set_threads(1)
    assert torch.equal(sam_few_keys.attend(*given, 8), two)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"query": torch.zeros(1, 33, 128)}, "bf16"),
        ({"query": torch.zeros(1, 128, 33).bfloat16().mT}, "contiguous"),
        ({"query": torch.zeros(2, 33, 128).bfloat16()}, "different sizes"),
        ({"value": torch.zeros(1, 7, 128).bfloat16()}, "different sizes"),
        ({"key": torch.zeros(1, 65, 128).bfloat16(), "value": torch.zeros(1, 65, 128).bfloat16()}, "up to 64"),
        ({"key": torch.zeros(1, 0, 128).bfloat16(), "value": torch.zeros(1, 0, 128).bfloat16()}, "up to 64"),
        ({"heads": 128}, "even"),
        ({"heads": 3}, "even"),
        ({"heads": 0}, "even"),
        ({"scale": 0.0}, "scale"),
    ],
)
def test_the_operator_refuses_what_it_would_read_past_the_end_of(change, complaint):
    given = dict(zip(("query", "key", "value"), drawn(), strict=True)) | {"heads": 8, "scale": 0.25}
    with pytest.raises(RuntimeError, match=complaint):
        torch.ops.xeonperf.few_keys_attention(**{**given, **change})


def test_the_operator_keeps_torchs_contract():
    torch.library.opcheck(torch.ops.xeonperf.few_keys_attention.default, (*drawn(), 8, 0.25))


@pytest.fixture
def make_attention():
    """Makes an attention of upstream's decoder whose every weight matters."""

    def make(*, channels=64, heads=4):
        torch.manual_seed(0)
        attention = modeling().transformer.Attention(channels, heads, downsample_rate=2)
        for parameter in attention.parameters():
            parameter.data.normal_(std=0.5 if parameter.dim() == 1 else parameter.shape[-1] ** -0.5)
        return attention.bfloat16().float().eval().requires_grad_(requires_grad=False)

    return make


@pytest.mark.parametrize(
    ("heads", "keys", "calls"),
    [(4, 8, 1), (4, 64, 1), (4, 65, 0), (32, 8, 0)],
    ids=["few", "the most", "too many", "of one channel"],
)
def test_few_keys_go_through_the_kernel_and_many_through_torchs(
    make_attention, kernel_calls, cosine, *, heads, keys, calls
):
    attention = make_attention(heads=heads)
    q, k, v = (
        torch.randn(2, 100, 64).bfloat16(),
        torch.randn(2, keys, 64).bfloat16(),
        torch.randn(2, keys, 64).bfloat16(),
    )
    fused = switch(copy.deepcopy(attention).bfloat16(), Attention.FUSED)
    found, made = kernel_calls(lambda: fused(q, k, v), KERNEL)
    assert made == [calls]
    assert cosine(found, attention(q.float(), k.float(), v.float())) > 0.9998


def test_other_attentions_undo_it(make_attention):
    attention = make_attention()
    tokens = torch.randn(2, 8, 64)
    expected = attention(tokens, tokens, tokens)
    plain = switch(switch(copy.deepcopy(attention), Attention.FUSED), Attention.PLAIN)
    assert torch.equal(plain(tokens, tokens, tokens), expected)


@pytest.mark.usefixtures("seeded_cache")
def test_the_mask_decoder_gives_the_same_masks(kernel_calls, cosine):
    workload = sam.load("sam-vit-b", Preset.SMOKE, {})
    phase = workload.phase("decode")

    def masks(variant):
        inputs = prepared(phase.inputs(), variant)
        return build(variant, workload, phase).bind(phase, inputs)()[0]

    found, made = kernel_calls(lambda: masks(from_keywords({"attention": "fused"})), KERNEL)
    assert made == [4]  # twice of the tokens, twice of the image
    with torch.no_grad():
        assert cosine(found, masks(REFERENCE)) > 0.999


def test_a_processor_without_instructions_for_bf16_leaves_it_to_torch(monkeypatch):
    query, key, _value = drawn()
    assert sam_few_keys.takes(query, key, 8)
    monkeypatch.setattr(sam_few_keys, "BF16_INSTRUCTIONS", False)
    assert not sam_few_keys.takes(query, key, 8)
