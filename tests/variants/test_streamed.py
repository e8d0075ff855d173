import pytest
import torch
from torch import nn

from pytest_xeonperf.variants.apply import technique
from pytest_xeonperf.variants.eager import cast_module
from pytest_xeonperf.variants.spec import Dtype
from pytest_xeonperf.variants.streamed import stream_fp32
from pytest_xeonperf.variants.woq_int8 import Int8
from pytest_xeonperf.workloads.precision import keep_dtype
from pytest_xeonperf.workloads.quantised_linear import StoredLinear


class Block(nn.Module):
    """Weights of its own, a layer used twice, and a buffer."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.linspace(0.5, 1.5, 16))
        self.register_buffer("shift", torch.linspace(-1, 1, 16))
        self.inner = nn.Linear(16, 16)
        self.seen = []

    def forward(self, x):
        self.seen.append((self.scale.dtype, self.inner.weight.dtype))
        return self.inner(self.inner(x * self.scale + self.shift))


@pytest.fixture
def stored():
    """A model as a checkpoint in BF16 holds it."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(8, 16), Block(), nn.Linear(16, 4)).bfloat16()


def test_the_result_is_that_of_the_whole_model_in_fp32(stored):
    tokens = torch.arange(8)
    streamed = stream_fp32(stored, technique)(tokens)
    whole = cast_module(stored, Dtype.FP32)(tokens)
    assert streamed.dtype is torch.float32
    assert torch.equal(streamed, whole)


def test_a_layer_is_wide_only_while_it_is_called(stored):
    tokens = torch.arange(8)
    streamed = stream_fp32(stored, technique)
    streamed(tokens)
    assert streamed[1].seen == [(torch.float32, torch.bfloat16)]
    assert {parameter.dtype for parameter in streamed.parameters()} == {torch.bfloat16}


def test_layers_one_after_the_other_are_wide_in_the_same_memory(stored):
    seen = []
    streamed = stream_fp32(stored, technique)
    for layer in (streamed[0], streamed[1].inner, streamed[2]):
        layer.register_forward_hook(lambda layer, _args, _output: seen.append(layer.weight.data_ptr()), prepend=True)
    streamed(torch.arange(8))
    assert len(seen) == 4  # the inner one twice
    assert len(set(seen[1:])) == 1  # the first is the smaller table


class Position(nn.Module):
    """Returns a view of its own weight."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.randn(8, 16))

    def forward(self, rows):
        return self.table[:rows]


class Shifted(nn.Module):
    """Uses what a child returned after another child was called."""

    def __init__(self):
        super().__init__()
        self.position, self.tokens, self.head = Position(), nn.Embedding(8, 16), nn.Linear(16, 8, bias=False)

    def forward(self, tokens):
        position = self.position(len(tokens))
        return self.head(self.tokens(tokens)) + self.head(position)


def test_a_weight_that_a_module_returns_stays_what_it_is():
    torch.manual_seed(0)
    module, tokens = Shifted().bfloat16(), torch.arange(8)
    streamed = stream_fp32(module, technique)(tokens)
    assert torch.equal(streamed, cast_module(module, Dtype.FP32)(tokens))


def test_a_layer_that_is_more_than_its_weight_keeps_its_parts_apart():
    torch.manual_seed(0)
    first, second = nn.Linear(16, 16, bias=False), nn.Linear(16, 16, bias=False)
    first.added = nn.Parameter(torch.randn(16, 16))
    first.forward = lambda x: second(x) @ first.weight + x @ first.added  # replaced, and calls another layer first
    first.second = second
    module, x = first.bfloat16(), torch.randn(3, 16)
    streamed = stream_fp32(module, technique)(x)
    assert torch.equal(streamed, cast_module(module, Dtype.FP32)(x))


def test_wide_is_fp32_whatever_the_default_is(stored):
    tokens = torch.arange(8)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode():
            first = stream_fp32(stored, technique)(tokens)
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.no_grad():
        assert torch.equal(stored(tokens), first)
    assert first.dtype is torch.float32


def test_a_layer_that_raises_is_narrow_again(stored):
    streamed = stream_fp32(stored, technique)
    with pytest.raises(RuntimeError):
        streamed[2](torch.ones(1, 5))
    assert streamed[2].weight.dtype is torch.bfloat16


def test_what_is_fp32_already_is_neither_copied_nor_hooked():
    module = nn.Linear(4, 4)
    before = module.weight.data_ptr()
    streamed = stream_fp32(module, technique)
    assert not streamed._forward_pre_hooks
    assert streamed.weight.data_ptr() == before


def test_modules_that_keep_their_dtype_keep_it():
    module = nn.LayerNorm(4).bfloat16()
    keep_dtype(module)
    assert stream_fp32(module, technique)(torch.ones(1, 4, dtype=torch.bfloat16)).dtype is torch.bfloat16


def test_layers_stored_quantised_stand_for_their_weights():
    weight = torch.randn(8, 32)
    parts = Int8().quantise(weight)
    bias = nn.Parameter(torch.linspace(-1, 1, 8).bfloat16())
    streamed = stream_fp32(nn.Sequential(StoredLinear(Int8().scheme, parts, bias)), technique)
    x = torch.randn(3, 32)
    assert torch.equal(streamed(x), nn.functional.linear(x, Int8().dequantise(parts), bias.float()))
