"""A language model's single query through our kernel, against torch's attention in FP32."""

import math
import shutil

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, LlamaConfig, LlamaForCausalLM

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.workloads import llm, llm_fused
from pytest_xeonperf.workloads.llm_attention import switch
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512_BF16.rank or shutil.which("g++") is None,
    reason="the kernel needs AVX512_BF16 and a C++ compiler",
)

KERNELS = ("decode_attention", "tiled_attention")


SEVERAL = torch.linspace(-1, 1, 4 * 5 * 64).reshape(1, 4, 5, 64).bfloat16()
"""Five queries."""
NARROW = {"key": torch.ones(1, 4, 17, 48).bfloat16(), "value": torch.linspace(0, 1, 3264).view(1, 4, 17, 48).bfloat16()}


def tiny(**fields):
    """A small Llama of seeded weights, attending through our kernel."""
    sizes = {"hidden_size": 64, "num_attention_heads": 2, "num_key_value_heads": 2, **fields}
    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=32, intermediate_size=64, num_hidden_layers=1, **sizes)
    return switch(LlamaForCausalLM(config).eval(), Attention.FUSED)


@pytest.fixture(scope="module")
def attend():
    """The operator, on a mask that hides nothing unless one is given."""
    tiny()
    return lambda query, key, value, mask=None, scale=0.125: torch.ops.xeonperf.decode_attention(
        query, key, value, mask, scale
    )


def drawn(*, batch=1, heads=4, kv_heads=4, keys=17, width=64):
    """Query bf16 [B, H, 1, D], keys and values bf16 [B, KV, L, D]."""
    torch.manual_seed(keys)
    shapes = (batch, heads, 1, width), (batch, kv_heads, keys, width), (batch, kv_heads, keys, width)
    return tuple(torch.randn(shape).bfloat16() for shape in shapes)


def expected(query, key, value, mask=None, scale=0.125):
    """The same in FP32: [B, 1, H, D]."""
    groups = query.shape[1] // key.shape[1]
    wide = [each.float().repeat_interleave(groups, dim=1) for each in (key, value)]
    return scaled_dot_product_attention(query.float(), *wide, attn_mask=mask, scale=scale).transpose(1, 2)


def assert_near(found, wanted):
    assert found.dtype is torch.bfloat16
    torch.testing.assert_close(found.float(), wanted, rtol=2**-7, atol=2**-9)


@pytest.mark.parametrize(
    "sizes",
    [
        {"keys": 1},
        {"keys": 15},
        {"keys": 16},
        {"keys": 1057},
        {"width": 32},
        {"width": 96},
        {"width": 160},
        {"width": 256},
        {"heads": 9, "kv_heads": 3},
        {"heads": 8, "kv_heads": 1, "keys": 700},
        {"batch": 3, "heads": 6, "kv_heads": 2, "keys": 300},
    ],
    ids=str,
)
def test_it_is_what_torch_computes(attend, sizes):
    assert_near(attend(*drawn(**sizes)), expected(*drawn(**sizes)))


def test_hidden_keys_count_for_nothing_whatever_stands_there(attend):
    query, key, value = drawn(batch=2, keys=600)
    mask = torch.rand(2, 1, 1, 600) < 0.5
    hidden = ~mask[:, 0, 0, :]
    wanted = expected(query, key, value, mask)
    for each in (key, value):
        each.transpose(1, 2)[hidden] = math.nan
    assert_near(attend(query, key, value, mask), wanted)


def test_a_query_that_sees_no_key_gets_zeros(attend):
    mask = torch.zeros(1, 1, 1, 17, dtype=torch.bool)
    assert torch.equal(attend(*drawn(), mask), torch.zeros(1, 1, 4, 64).bfloat16())


def test_tensors_may_lie_in_any_order_but_for_the_channels(attend):
    query, key, value = drawn(batch=2, heads=6, kv_heads=3)
    apart = [each.transpose(1, 2).contiguous().transpose(1, 2) for each in (query, key, value)]
    mask = torch.arange(17) < torch.tensor([[[[5]]], [[[11]]]])
    assert torch.equal(attend(*apart, mask.expand(2, 1, 1, 17)), attend(query, key, value, mask))
    shared = mask[:1].expand(2, 1, 1, 17)
    assert torch.equal(attend(*apart, shared), attend(query, key, value, shared.contiguous()))


def test_scores_far_apart_neither_overflow_nor_vanish(attend):
    query, key, value = drawn(keys=40)
    found = attend(query, key, value, None, 1e4)
    best = (query.float() @ key.float().mT).argmax(dim=-1)[0, :, 0]
    assert torch.equal(found[0, 0], value[0, torch.arange(4), best])


@pytest.mark.parametrize("where", [0, 7, 16])
@pytest.mark.parametrize("part", range(3), ids=["query", "key", "value"])
def test_what_is_no_number_stays_none(attend, part, where):
    given = drawn()
    given[part][0, 2, where if part else 0, 5] = math.nan
    found = attend(*given)
    assert found[0, 0, 2].isnan().any()
    assert found[0, 0, [0, 1, 3]].isfinite().all()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_query_that_is_no_number_gets_none_behind_a_mask_either(attend, number):
    query, key, value = drawn()
    query[0, 2, 0, 5] = number
    found = attend(query, key.abs(), value, (torch.arange(17) >= 9)[None, None, None])
    assert found[0, 0, 2].isnan().all()
    assert found[0, 0, [0, 1, 3]].isfinite().all()


@pytest.mark.parametrize("hidden", [0, 900])
def test_threads_that_share_a_head_come_to_the_same(attend, hidden, set_threads):
    query, key, value = drawn(heads=2, kv_heads=1, keys=1000)
    mask = (torch.arange(1000) >= hidden)[None, None, None]  # whole stretches are hidden
    for many in (1, 4, 7):
        set_threads(many)
        assert_near(attend(query, key, value, mask), expected(query, key, value, mask))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"query": torch.zeros(1, 4, 1, 64)}, "in BFloat16"),
        ({"query": torch.zeros(1, 4, 2, 64).bfloat16()}, "one a head"),
        ({"query": torch.zeros(1, 5, 1, 64).bfloat16()}, "multiple of KV"),
        ({"query": torch.zeros(2, 4, 1, 64).bfloat16()}, "multiple of KV"),
        ({"query": torch.zeros(1, 4, 1, 32).bfloat16()}, "multiple of KV"),
        ({"key": torch.zeros(1, 4, 64, 17).bfloat16().mT}, "side by side"),
        ({"key": torch.zeros(1, 4, 16, 64).bfloat16()}, "multiple of KV"),
        ({"key": torch.zeros(1, 4, 0, 64).bfloat16(), "value": torch.zeros(1, 4, 0, 64).bfloat16()}, "not empty"),
        ({"value": torch.zeros(1, 4, 17, 48).bfloat16()}, "a multiple of 32"),
        ({"mask": torch.zeros(1, 1, 1, 17)}, "mask"),
        ({"mask": torch.zeros(1, 4, 1, 17, dtype=torch.bool)}, "mask"),
        ({"mask": torch.zeros(1, 1, 1, 16, dtype=torch.bool)}, "mask"),
    ],
)
def test_the_operator_refuses_what_it_would_read_past_the_end_of(attend, change, complaint):
    given = dict(zip(("query", "key", "value"), drawn(), strict=True))
    with pytest.raises(RuntimeError, match=complaint):
        attend(**{**given, **change})


def test_the_operator_keeps_torchs_contract(attend):
    mask = torch.ones(1, 1, 1, 17, dtype=torch.bool)
    for masked in (None, mask):
        torch.library.opcheck(torch.ops.xeonperf.decode_attention.default, (*drawn(), masked, 0.125))


@pytest.mark.usefixtures("seeded_cache")
@pytest.mark.parametrize(
    ("phase_name", "dtype", "calls"),
    [
        ("decode", torch.bfloat16, [8, 0]),
        ("prefill", torch.bfloat16, [0, 2]),
        ("decode", torch.float32, [0, 0]),
        ("prefill", torch.float32, [0, 2]),
    ],
    ids=lambda value: str(value).removeprefix("torch."),
)
def test_tokens_one_by_one_and_prompts_have_kernels_of_their_own(kernel_calls, cosine, *, phase_name, dtype, calls):
    workload = llm.load("llama-2-7b", Preset.SMOKE, {})
    phase = workload.phase(phase_name)

    def step(attention, of):
        module = workload.attention(phase.build().to(of), attention)
        return phase.bind(module, phase.inputs(), lambda call: call)

    fused = step(Attention.FUSED, dtype)
    found, made = kernel_calls(fused, *KERNELS)
    assert made == calls  # of each layer and token
    with torch.no_grad():
        assert cosine(found, step(Attention.PLAIN, torch.float32)()) > 0.999


@pytest.mark.parametrize(
    ("change", "calls"),
    [
        ({}, [1, 0]),
        ({"attention_mask": torch.ones(1, 1, 1, 17, dtype=torch.bool)}, [1, 0]),
        ({"attention_mask": torch.zeros(1, 1, 1, 17).bfloat16()}, [0, 0]),
        ({"attention_mask": torch.ones(1, 4, 1, 17, dtype=torch.bool)}, [0, 0]),
        ({"position_bias": torch.zeros(1, 4, 1, 17).bfloat16()}, [0, 0]),
        ({"value": torch.zeros(1, 4, 17, 32).bfloat16()}, [0, 0]),
        ({"query": SEVERAL}, [0, 1]),
        ({"query": SEVERAL, "is_causal": False}, [0, 1]),
        ({"query": torch.ones(1, 4, 1, 48).bfloat16(), **NARROW}, [0, 0]),
        ({"query": torch.ones(1, 4, 5, 48).bfloat16(), **NARROW}, [0, 1]),
        ({"s_aux": torch.zeros(4)}, [0, 0]),
        ({"query": SEVERAL.mT.contiguous().mT}, [0, 0]),
        (dict.fromkeys(("query", "key", "value"), torch.ones(1, 4, 1, 64)), [0, 0]),
        (dict.fromkeys(("query", "key", "value"), torch.ones(1, 4, 5, 64)), [0, 1]),
        ({"query": SEVERAL, "attention_mask": torch.ones(1, 1, 5, 17, dtype=torch.bool)}, [0, 0]),
        ({"query": SEVERAL, "value": torch.zeros(1, 4, 17, 32).bfloat16()}, [0, 0]),
        ({"query": SEVERAL, "position_bias": torch.zeros(1, 4, 5, 17).bfloat16()}, [0, 0]),
    ],
)
def test_what_no_kernel_was_made_for_goes_through_torchs(kernel_calls, change, calls):
    model = tiny()
    given = dict(zip(("query", "key", "value"), drawn(), strict=True)) | {"attention_mask": None, **change}
    layer = model.model.layers[0].self_attn
    fused = AttentionInterface()["xeonperf_fused_sdpa"]
    (found, _weights), made = kernel_calls(lambda: fused(layer, **given), *KERNELS)
    assert made == calls
    wanted, _weights = AttentionInterface()["sdpa"](layer, **given)
    torch.testing.assert_close(found, wanted, rtol=2**-6, atol=2**-8)


def test_a_processor_without_instructions_for_bf16_leaves_one_query_to_torch(kernel_calls, monkeypatch):
    monkeypatch.setattr(llm_fused, "BF16_INSTRUCTIONS", False)
    layer, given = tiny().model.layers[0].self_attn, (*drawn(), None)
    (found, _weights), made = kernel_calls(lambda: llm_fused.forward(layer, *given), *KERNELS)
    assert made == [0, 0]
    torch.testing.assert_close(found, AttentionInterface()["sdpa"](layer, *given)[0])


def test_a_module_that_is_not_causal_sees_all_keys():
    layer = tiny().model.layers[0].self_attn
    layer.is_causal = False
    _query, key, value = drawn()
    found, _weights = AttentionInterface()["xeonperf_fused_sdpa"](layer, SEVERAL, key, value, None)
    assert_near(found, expected(SEVERAL, key, value))


def test_a_model_whose_attention_torchs_is_not_is_refused(monkeypatch):
    monkeypatch.setattr(LlamaForCausalLM, "_supports_sdpa", False)
    with pytest.raises(ValueError, match="scaled_dot_product_attention"):
        tiny()


def test_a_model_whose_attention_cannot_be_switched_is_refused(monkeypatch):
    monkeypatch.setattr(LlamaForCausalLM, "set_attn_implementation", lambda _model, _name: None)
    with pytest.raises(NotApplicableError, match="cannot be switched"):
        tiny()


def test_a_cap_on_scores_is_refused_as_torchs_attention_refuses_it():
    layer = tiny().model.layers[0].self_attn
    with pytest.raises(ValueError, match="softcap"):
        AttentionInterface()["xeonperf_fused_sdpa"](layer, *drawn(), None, softcap=50.0)


def test_a_width_that_is_none_of_the_kernels_is_refused():
    with pytest.raises(NotApplicableError, match="heads of 24 channels"):
        tiny(hidden_size=48)


def test_a_width_of_its_own_counts():
    assert tiny(hidden_size=48, head_dim=32).config._attn_implementation == "xeonperf_fused_sdpa"


def test_other_attentions_undo_it():
    model = tiny()
    ids = torch.ones(1, 4, dtype=torch.int64)
    with torch.no_grad():
        wanted = switch(model, Attention.PLAIN)(ids).logits
        assert torch.equal(switch(switch(model, Attention.FUSED), Attention.PLAIN)(ids).logits, wanted)
