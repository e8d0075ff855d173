"""Quantised layers in the place of Linear ones, in modules of all kinds."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import T5Config, T5EncoderModel

from pytest_xeonperf.errors import DataError, NotApplicableError
from pytest_xeonperf.variants.apply import technique
from pytest_xeonperf.variants.weight_only import quantise_linears, restore_linears
from pytest_xeonperf.variants.woq_int4 import Int4, WOQInt4Linear
from pytest_xeonperf.variants.woq_int8 import Int8, WOQInt8Linear
from pytest_xeonperf.workloads.quantised_linear import Scheme, StoredLinear


class Tied(nn.Module):
    """An embedding whose table is the last layer's weight."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(48, 32)
        self.head = nn.Linear(32, 48, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, tokens):
        return self.head(self.embedding(tokens))


def as_stored(module: nn.Module, how) -> nn.Module:
    return quantise_linears(module, how, lambda _name, parts, bias: StoredLinear(how.scheme, parts, bias))[0]


def test_layers_at_any_depth_are_replaced_and_those_refused_are_listed_with_the_reason():
    model = nn.Sequential(nn.Linear(32, 72), nn.Sequential(nn.ReLU(), nn.Linear(72, 16)))
    quantised, left = quantise_linears(model, Int8())
    assert isinstance(quantised[0], WOQInt8Linear)
    assert isinstance(quantised[1][1], nn.Linear)
    assert left == ("1.1: K=72 is not a multiple of 16",)


def test_a_module_that_is_itself_a_linear_layer_is_replaced():
    quantised, _ = quantise_linears(nn.Linear(32, 16), Int4(group_size=32))
    assert isinstance(quantised, WOQInt4Linear)


def test_a_layer_used_at_two_places_stays_one_layer():
    shared = nn.Linear(32, 32)
    quantised, _ = quantise_linears(nn.Sequential(shared, nn.Sequential(shared)), Int8())
    assert isinstance(quantised[0], WOQInt8Linear)
    assert quantised[0] is quantised[1][0]


def test_a_tied_weight_is_quantised_for_the_linear_layer_and_stays_in_the_embedding():
    model = Tied()
    table = model.embedding.weight
    quantise_linears(model, Int4(group_size=32))
    assert isinstance(model.head, WOQInt4Linear)
    assert model.embedding.weight is table


def test_a_module_without_linear_layers_is_not_applicable():
    with pytest.raises(NotApplicableError, match="no Linear layer that weight-only int8 can quantise"):
        quantise_linears(nn.Conv2d(3, 3, 1), Int8())


def test_a_module_whose_layers_are_all_refused_is_not_applicable_and_says_why():
    with pytest.raises(NotApplicableError, match="K=20 is not a multiple of 16"):
        quantise_linears(nn.Sequential(nn.Linear(20, 16)), Int8())


def test_layers_whose_parent_reads_their_weight_are_left_alone():
    encoder = nn.TransformerEncoderLayer(32, 2, dim_feedforward=64, batch_first=True).eval()
    model = nn.Sequential(nn.Linear(32, 32), encoder)
    quantised, left = quantise_linears(model, Int8())
    assert isinstance(quantised[0], WOQInt8Linear)
    assert "1.linear1: TransformerEncoderLayer reads its weight directly" in left
    with torch.no_grad():
        assert quantised[1](torch.randn(2, 3, 32)).isfinite().all()


def test_a_layer_that_is_more_than_a_linear_one_is_left_alone():
    class Doubling(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    _, left = quantise_linears(nn.Sequential(nn.Linear(32, 32), Doubling(32, 32)), Int8())
    assert left == ("1: Doubling is more than a Linear",)


def test_a_layer_whose_hooks_make_its_weight_is_left_alone():
    changing = nn.Linear(32, 32)
    changing.register_forward_pre_hook(lambda layer, _x: layer.weight.data.mul_(2))
    _, left = quantise_linears(nn.Sequential(nn.Linear(32, 32), changing), Int8())
    assert left == ("1: it has hooks",)


@pytest.mark.parametrize("how", [Int8(), Int4(group_size=32), Int4(group_size=64)])
def test_a_stored_layer_is_packed_as_it_is(how):
    model = nn.Sequential(nn.Linear(64, 32))
    x = torch.randn(3, 64).bfloat16()
    expected = how.linear(how.quantise(model[0].weight.detach()), model[0].bias)(x)
    quantised, _ = quantise_linears(as_stored(model, how), how)
    assert torch.equal(quantised(x), expected)


@pytest.mark.parametrize("how", [Int8(), Int4(group_size=32)])
def test_a_stored_layer_is_restored_to_the_weights_it_stands_for_with_its_bias(how):
    model = nn.Sequential(nn.Linear(64, 32))
    bias, weight = model[0].bias, how.dequantise(how.quantise(model[0].weight.detach()))
    restored = restore_linears(as_stored(model, how), technique)
    assert type(restored[0]) is nn.Linear
    assert restored[0].bias is bias
    assert torch.equal(restored[0].weight, weight)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Int4(group_size=128), "holds int4 with group size 32, the variant asks for int4 with group size 128"),
        (Int8(), "holds int4 with group size 32, the variant asks for int8"),
    ],
)
def test_a_checkpoint_quantised_in_another_way_is_refused_naming_both(asked, message):
    stored = as_stored(nn.Sequential(nn.Linear(128, 32)), Int4(group_size=32))
    with pytest.raises(DataError, match=message):
        quantise_linears(stored, asked)


def stored(scheme: Scheme, **parts: torch.Tensor) -> nn.Module:
    return nn.Sequential(nn.ReLU(), StoredLinear(scheme, parts, None))


INT8, INT4 = Int8(), Int4(group_size=32)
BYTES, HALVES, SCALES = torch.int8, torch.uint8, torch.bfloat16


@pytest.mark.parametrize(
    ("how", "parts", "flaw"),
    [
        (INT8, {"weight": ((8, 20), BYTES), "scales": ((8,), SCALES)}, "K=20 is not a multiple of 16"),
        (INT8, {"weight": ((8, 32), BYTES), "scales": ((7,), SCALES)}, r"weight is .* \[8, 32\] and scales \[7\]"),
        (INT8, {"weight": ((8, 32), HALVES), "scales": ((8,), SCALES)}, r"weight is torch\.uint8 \[8, 32\]"),
        (INT8, {"weight": ((8, 32), BYTES)}, "its parts are weight, not scales, weight"),
        (
            INT4,
            {"weight": ((16, 24), HALVES), "scales": ((16, 1), SCALES), "zeros": ((16, 1), SCALES)},
            "K=48 is not a multiple of the group size 32",
        ),
        (
            INT4,
            {"weight": ((24, 16), HALVES), "scales": ((24, 1), SCALES), "zeros": ((24, 1), SCALES)},
            "N=24 is not a multiple of 16",
        ),
        (
            INT4,
            {"weight": ((16, 32), HALVES), "scales": ((16, 2), SCALES), "zeros": ((16, 1), SCALES)},
            r"zeros are \[16, 1\] for N=16, K=64",
        ),
        (
            INT4,
            {"weight": ((16, 32), BYTES), "scales": ((16, 2), SCALES), "zeros": ((16, 2), SCALES)},
            r"weight is torch\.int8 \[16, 32\]",
        ),
        (INT4, {"weight": ((16, 32), HALVES)}, "its parts are weight, not scales, weight, zeros"),
    ],
)
def test_a_stored_layer_that_the_kernel_cannot_take_is_refused_by_name(how, parts, flaw):
    tensors = {name: torch.ones(shape, dtype=dtype) for name, (shape, dtype) in parts.items()}
    with pytest.raises(DataError, match=f"layer 1 is stored as {how.scheme} and cannot be: {flaw}"):
        quantise_linears(stored(how.scheme, **tensors), how)


@pytest.mark.parametrize("how", [INT8, INT4])
@pytest.mark.parametrize("feed_forward", ["relu", "gated-gelu"])
def test_a_parent_that_asks_for_the_weights_dtype_works(how, feed_forward):
    config = T5Config(
        vocab_size=48, d_model=64, d_kv=16, d_ff=128, num_layers=1, num_heads=4, feed_forward_proj=feed_forward
    )
    encoder, tokens = T5EncoderModel(config).eval(), torch.arange(6)[None]
    with torch.no_grad():
        expected = encoder(tokens).last_hidden_state
        quantised = quantise_linears(encoder, how)[0].bfloat16()
        torch._dynamo.reset()
        compiled = torch.compile(quantised, fullgraph=True, backend="eager")(tokens).last_hidden_state
        torch._dynamo.reset()
        found = quantised(tokens).last_hidden_state
    assert isinstance(quantised.encoder.block[0].layer[1].DenseReluDense.wo, WOQInt8Linear | WOQInt4Linear)
    assert torch.equal(compiled, found)
    assert (found - expected).norm() / expected.norm() < (0.05 if how is INT8 else 0.35)


@pytest.mark.parametrize("how", [INT8, INT4])
def test_a_quantised_layer_answers_for_the_dtype_and_the_place_of_its_activations(how):
    layer = how.linear(how.quantise(torch.randn(48, 64)), None)
    x = torch.randn(2, 64).to(layer.weight.dtype)
    assert layer(x).dtype == layer.weight.dtype == torch.bfloat16
    assert layer.weight.device == x.device
    assert layer.weight.shape == (48, 64)


@pytest.mark.parametrize("how", [INT8, INT4])
def test_a_parent_that_multiplies_with_the_weight_itself_fails_at_once(how):
    layer = how.linear(how.quantise(torch.randn(48, 64)), None)
    with pytest.raises(TypeError, match="QuantisedWeight"):
        nn.functional.linear(torch.randn(2, 64).bfloat16(), layer.weight)


def test_a_scheme_gives_back_its_technique():
    for how in (Int8(), Int4(group_size=64)):
        assert technique(how.scheme) == how
    assert str(Scheme(woq="int4", group_size=64)) == "int4 with group size 64"
