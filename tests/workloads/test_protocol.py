"""The switch of attention in modules that are not ours."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention as DiffusersAttention
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0, JointAttnProcessor2_0
from torch import nn
from transformers import BertConfig, BertModel

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.workloads.protocol import Attention, any_attention


class Wrapped(nn.Module):
    """A user's own module around somebody else's model."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *args, **kwargs):
        return self.model(*args, **kwargs)


class Unfused(BertModel):
    """A model for which transformers has no fused attention."""

    _supports_sdpa = False


@pytest.fixture
def fused_calls(monkeypatch):
    """One entry for each call of torch's fused kernel."""
    calls = []
    fused = torch.nn.functional.scaled_dot_product_attention

    def watched(*args, **kwargs):
        calls.append(args[0].shape)
        return fused(*args, **kwargs)

    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", watched)
    return calls


def bert(kind=BertModel):
    config = BertConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, vocab_size=9)
    return kind(config).eval()


@pytest.mark.parametrize("make", [bert, lambda: Wrapped(bert())])
def test_a_model_of_transformers_attends_as_asked(make, fused_calls):
    module, tokens = make(), torch.tensor([[1, 2, 3]])
    outputs = {}
    for attention, calls in ((Attention.SDPA, 2), (Attention.PLAIN, 0), (Attention.SDPA, 2)):
        fused_calls.clear()
        assert any_attention(module, attention) is module
        with torch.no_grad():
            outputs[attention] = module(input_ids=tokens).last_hidden_state
        assert len(fused_calls) == calls
    torch.testing.assert_close(outputs[Attention.SDPA], outputs[Attention.PLAIN], atol=1e-5, rtol=1e-5)


def test_a_model_of_transformers_that_has_no_fused_attention_is_left_plain():
    module = bert(Unfused)
    assert any_attention(module, Attention.SDPA).config._attn_implementation == "eager"


def test_a_block_of_diffusers_attends_as_asked(fused_calls):
    module = Wrapped(BasicTransformerBlock(16, 2, 8, cross_attention_dim=16)).eval()
    x = torch.randn(1, 3, 16)
    outputs = {}
    for attention, calls in ((Attention.SDPA, 2), (Attention.PLAIN, 0), (Attention.SDPA, 2)):
        fused_calls.clear()
        assert any_attention(module, attention) is module
        with torch.no_grad():
            outputs[attention] = module(x, encoder_hidden_states=x)
        assert len(fused_calls) == calls
    torch.testing.assert_close(outputs[Attention.SDPA], outputs[Attention.PLAIN], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"processor": JointAttnProcessor2_0()}, JointAttnProcessor2_0),
        ({"scale_qk": False}, AttnProcessor),
        ({"qk_norm": "layer_norm"}, AttnProcessor2_0),
    ],
)
@pytest.mark.parametrize("attention", [Attention.PLAIN, Attention.SDPA])
def test_an_attention_of_diffusers_that_only_its_own_processor_computes_keeps_it(options, kept, attention):
    module = DiffusersAttention(16, heads=2, dim_head=8, **options)
    assert type(any_attention(module, attention).processor) is kept


@pytest.mark.parametrize("attention", [Attention.PLAIN, Attention.SDPA])
def test_any_other_module_is_left_alone(attention):
    module = nn.TransformerEncoderLayer(16, 2).eval()
    before = dict(module.named_modules())
    assert dict(any_attention(module, attention).named_modules()) == before


def test_a_kernel_made_for_the_model_is_refused_where_there_is_none():
    with pytest.raises(NotApplicableError, match="no attention kernel was made for this model"):
        any_attention(nn.Linear(2, 2), Attention.FUSED)
