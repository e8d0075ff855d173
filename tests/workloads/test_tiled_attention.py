"""Attention between many tokens through our kernel, against torch's in FP32 and, where that is ours, in FP64."""

import math
import shutil
from contextlib import nullcontext
from functools import partial

import pytest
import torch
from torch.nn import functional

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.workloads import tiled_attention
from pytest_xeonperf.workloads.arithmetic import multiplying_bf16_in, products_of, widens

in_fp32 = partial(multiplying_bf16_in, torch.float32)
in_bytes = partial(multiplying_bf16_in, torch.int8)

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512_BF16.rank or shutil.which("g++") is None,
    reason="the kernel needs AVX512_BF16 and a C++ compiler",
)


IN_FLOATS = [(torch.bfloat16, nullcontext), (torch.float32, nullcontext), (torch.bfloat16, in_fp32)]
NAMES = ["bf16", "fp32", "bf16 in fp32", "bf16 in bytes"]


@pytest.fixture(params=[*IN_FLOATS, (torch.bfloat16, in_bytes)], ids=NAMES)
def dtype(request):
    """Of the tensors, with the setting that says in what they are multiplied in force."""
    dtype, setting = request.param
    with setting():
        yield dtype


in_floats = pytest.mark.parametrize("dtype", IN_FLOATS, ids=NAMES[:3], indirect=True)


@pytest.fixture(autouse=True)
def loaded():
    tiled_attention.load()


def drawn(*, batch=1, heads=2, kv_heads=2, queries=40, keys=70, width=64, dtype=torch.bfloat16):
    """Query [B, H, Q, D], keys and values [B, KV, K, D]."""
    torch.manual_seed(keys)
    shapes = (batch, heads, queries, width), (batch, kv_heads, keys, width), (batch, kv_heads, keys, width)
    return tuple(torch.randn(shape).to(dtype) for shape in shapes)


def expected(query, key, value, **options):
    """The same in a wider dtype: [B, Q, H, D]."""
    wide = (each.double() if each.dtype is torch.float32 else each.float() for each in (query, key, value))
    return functional.scaled_dot_product_attention(*wide, enable_gqa=True, **options).transpose(1, 2)


def assert_near(found, wanted, *, fp32_close=2**-17):
    """In BF16 weights are rounded before they are summed, as torch's kernel does; in bytes everything is."""
    assert found.dtype is (torch.bfloat16 if wanted.dtype is torch.float32 else torch.float32)
    close = 2**-6 if found.dtype is torch.bfloat16 else fp32_close
    if products_of(found.dtype) is torch.int8:
        close = 2**-4
        assert functional.cosine_similarity(found.float().flatten(), wanted.flatten(), dim=0) > 0.9995
    torch.testing.assert_close(found.to(wanted.dtype), wanted, rtol=close, atol=close)


# one token; tiles and blocks that are full, or not; several of them; queries that share keys
SIZES = [
    {"queries": 1, "keys": 1},
    {"queries": 128, "keys": 512},
    {"queries": 129, "keys": 513},
    {"queries": 300, "keys": 1100},
    {"width": 16},
    {"width": 80},
    {"width": 512, "queries": 20},
    {"heads": 6, "kv_heads": 2, "batch": 3},
    {"keys": 7, "queries": 333, "batch": 2},
]


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_it_is_what_torch_computes(sizes, dtype):
    given = drawn(**sizes, dtype=dtype)
    assert_near(tiled_attention.attend(*given), expected(*given))


@pytest.mark.parametrize("sizes", [*SIZES, {"queries": 700, "keys": 700}, {"queries": 600, "keys": 650}], ids=str)
def test_causal_a_query_sees_the_keys_up_to_its_own(sizes, dtype):
    given = drawn(**sizes, dtype=dtype)
    assert_near(tiled_attention.attend(*given, causal=True), expected(*given, is_causal=True))


def test_what_a_causal_query_does_not_see_may_be_anything(dtype):
    query, key, value = drawn(queries=30, keys=1000, dtype=dtype)
    wanted = tiled_attention.attend(query, key, value, causal=True)
    key[:, :, 30:] = value[:, :, 30:] = math.nan  # as in a cache that is not full
    assert torch.equal(tiled_attention.attend(query, key, value, causal=True), wanted)


def test_bf16_multiplied_in_fp32_is_closer_to_the_exact_result():
    given = drawn(queries=300, keys=700)
    wanted = expected(*given)
    in_bf16 = tiled_attention.attend(*given)
    with in_fp32():
        found = tiled_attention.attend(*given)
    as_exact = [(each == wanted.bfloat16()).float().mean().item() for each in (found, in_bf16)]
    assert as_exact[0] > 0.98 > as_exact[1]


def test_a_scale_of_ones_own_counts():
    given = drawn()
    assert_near(tiled_attention.attend(*given, scale=0.5), expected(*given, scale=0.5))


def test_tensors_may_lie_in_any_order_but_for_the_channels():
    given = drawn(batch=2, heads=4)
    apart = (each.transpose(1, 2).contiguous().transpose(1, 2) for each in given)
    assert torch.equal(tiled_attention.attend(*apart), tiled_attention.attend(*given))


@in_floats
@pytest.mark.parametrize("keys", [40, 600])
def test_scores_far_apart_neither_overflow_nor_vanish(keys, dtype):
    query, key, value = drawn(keys=keys, dtype=dtype)
    found = tiled_attention.attend(query, key, value, scale=1e3)
    best = (query.float() @ key.float().mT).argmax(dim=-1)  # [B, H, Q]
    wanted = value.gather(2, best[..., None].expand(-1, -1, -1, 64)).transpose(1, 2)
    torch.testing.assert_close(found, wanted, rtol=2**-7, atol=0)


@pytest.mark.usefixtures("dtype")
def test_what_was_summed_before_a_much_larger_score_keeps_its_share():
    scores = torch.full((600,), -40.0)
    # in powers of two 39 above the first one, and 41 in the next tile
    scores[0], scores[5], scores[520] = 0.0, 27.0, 28.5
    key, value = torch.zeros(1, 1, 600, 16), torch.randn(1, 1, 600, 16)
    key[0, 0, :, 0] = scores
    query = torch.eye(16)[None, None, :1]
    given = tuple(each.bfloat16() for each in (query, key, value))
    assert_near(tiled_attention.attend(*given, scale=1.0), expected(*given, scale=1.0))


@pytest.mark.usefixtures("dtype")
@pytest.mark.parametrize("nats", [8.3125, 9.375, 10.4375, 12.0])
def test_many_small_weights_keep_their_share_beside_a_large_one(nats):
    key = torch.zeros(1, 1, 4096, 16)
    key[0, 0, 0, 0] = nats  # at the first one a weight nearly that of the 4,095 others together
    value = torch.ones(1, 1, 4096, 16)
    value[0, 0, 0] = -1.0
    given = tuple(each.bfloat16() for each in (torch.eye(16)[None, None, :1], key, value))
    wanted = expected(*given, scale=1.0)
    torch.testing.assert_close(tiled_attention.attend(*given, scale=1.0).float(), wanted, atol=0.01, rtol=0)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("part", range(3), ids=["query", "key", "value"])
def test_what_is_no_number_stays_none(part, causal, dtype):
    given = drawn(queries=70, keys=70, dtype=dtype)
    given[part][0, 1, 30, 5] = math.nan
    found = tiled_attention.attend(*given, causal=causal)
    assert found[0, 30, 1].isnan().any()
    assert found[0, :, 0].isfinite().all()


@in_floats
@pytest.mark.parametrize("factor", [1, 40], ids=["small scores", "large ones"])
@pytest.mark.parametrize("unseen", [(0,), (0, 1, 600), tuple(range(512))], ids=["first", "some", "a whole tile"])
def test_keys_that_score_minus_infinity_have_no_weight(unseen, factor, dtype):
    query, key, value = drawn(keys=700, dtype=dtype)
    query, key = query.abs(), key.abs() * factor
    key[:, :, unseen] = -math.inf
    # a score of some hundreds is itself not closer in FP32
    assert_near(tiled_attention.attend(query, key, value), expected(query, key, value), fp32_close=2**-12)


def test_in_bytes_infinite_keys_leave_no_number_that_somebody_might_believe():
    query, key, value = drawn(keys=700)
    key[0, 1, 3] = -math.inf
    with in_bytes():
        found = tiled_attention.attend(query, key, value)
    assert found[:, :, 1].isnan().all()
    assert found[:, :, 0].isfinite().all()


@pytest.mark.usefixtures("dtype")
@pytest.mark.parametrize("factor", [1e2, 1e5, 1e8, 1e18])
def test_scores_beyond_what_fp32_tells_apart_come_to_an_end(factor):
    query, key, value = drawn()
    assert tiled_attention.attend(query * factor, key * factor, value).shape == (1, 40, 2, 64)


def test_one_thread_computes_what_two_do(set_threads):
    given = drawn(queries=500, batch=2)
    set_threads(2)
    two = tiled_attention.attend(*given)
    set_threads(1)
    assert torch.equal(tiled_attention.attend(*given), two)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"query": torch.zeros(1, 2, 40, 64)}, "in Float"),
        ({"query": torch.zeros(1, 2, 40, 64).double()}, "in BFloat16"),
        ({"key": torch.zeros(1, 2, 70, 64)}, "in BFloat16"),
        ({"query": torch.zeros(1, 2, 64, 40).bfloat16().mT}, "side by side"),
        ({"query": torch.zeros(1, 2, 0, 64).bfloat16()}, "not empty"),
        ({"query": torch.zeros(1, 2, 40, 72).bfloat16()}, "a multiple of 16"),
        ({"query": torch.zeros(1, 3, 40, 64).bfloat16()}, "multiple of KV"),
        ({"query": torch.zeros(2, 2, 40, 64).bfloat16()}, "multiple of KV"),
        ({"query": torch.zeros(1, 2, 40, 32).bfloat16()}, "multiple of KV"),
        ({"value": torch.zeros(1, 2, 69, 64).bfloat16()}, "multiple of KV"),
    ],
)
def test_the_operator_refuses_what_it_would_read_past_the_end_of(change, complaint):
    given = dict(zip(("query", "key", "value"), drawn(), strict=True)) | change
    with pytest.raises(RuntimeError, match=complaint):
        tiled_attention.attend(**given)


def test_in_bytes_scores_beyond_what_a_byte_tells_apart_choose_the_best():
    query, key, value = drawn(keys=700)
    key[:, :, 600] = query[:, :, :1, :].squeeze(2) * 4  # far above all others for the first query
    with in_bytes():
        found = tiled_attention.attend(query[:, :, :1], key, value, scale=1e6)
    torch.testing.assert_close(found, value[:, None, :, 600], rtol=0.02, atol=0.05)


def test_in_bytes_it_is_for_bf16_alone():
    with pytest.raises(RuntimeError, match="in BFloat16"):
        torch.ops.xeonperf.tiled_attention_int8(*drawn(dtype=torch.float32), causal=False, scale=0.125)


@in_floats
@pytest.mark.parametrize("causal", [False, True])
def test_the_operator_keeps_torchs_contract(causal, dtype):
    torch.library.opcheck(torch.ops.xeonperf.tiled_attention.default, (*drawn(dtype=dtype), causal, 0.125, widens()))


def test_so_does_that_in_bytes():
    torch.library.opcheck(torch.ops.xeonperf.tiled_attention_int8.default, (*drawn(), True, 0.125))
