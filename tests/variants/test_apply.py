"""Every variant on modules that are not ours, through the short form of a workload."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D
from torch import nn
from torch.utils import _pytree as pytree
from transformers import BertConfig, BertModel

from pytest_xeonperf.errors import DataError, NotApplicableError
from pytest_xeonperf.variants import apply
from pytest_xeonperf.variants.named import NAMED
from pytest_xeonperf.variants.spec import Variant, Woq
from pytest_xeonperf.workloads.protocol import Attention, Inputs, Phase, Workload

ALLOWED_ERROR = {Woq.NONE: 0.03, Woq.INT8: 0.05, Woq.INT4: 0.35}
"""Of the output's norm; int4 takes a tenth of every layer's, and these have several in a row."""


class Pair(nn.Module):
    """Returns a tuple with a dict in it."""

    def __init__(self):
        super().__init__()
        self.up, self.down = nn.Linear(128, 256), nn.Linear(256, 128)

    def forward(self, x):
        hidden = self.up(x).relu()
        return hidden, {"y": self.down(hidden)}


def encoder() -> Workload:
    config = BertConfig(
        hidden_size=128, num_hidden_layers=1, num_attention_heads=4, intermediate_size=256, vocab_size=100
    )
    tokens = torch.randint(100, (2, 7))
    mask = torch.ones(2, 7, dtype=torch.int64)
    return Workload(
        name="bert",
        build=lambda: BertModel(config),
        inputs=lambda: Inputs(kwargs={"input_ids": tokens, "attention_mask": mask}),
    )


def block() -> Workload:
    x, context = torch.randn(2, 9, 128), torch.randn(2, 5, 128)
    return Workload(
        name="block",
        build=lambda: BasicTransformerBlock(128, 4, 32, cross_attention_dim=128),
        inputs=lambda: Inputs(args=(x,), kwargs={"encoder_hidden_states": context}),
    )


def pair() -> Workload:
    x = torch.randn(3, 128)
    return Workload(name="pair", build=Pair, inputs=lambda: Inputs(args=(x,)))


def run(variant: Variant, workload: Workload) -> list[torch.Tensor]:
    phase = workload.phases[0]
    torch.manual_seed(1)
    built = apply.build(variant, workload, phase)
    with torch.no_grad():
        step = phase.bind(built.module, apply.prepared(phase.inputs(), variant), built.compiler)
        return [leaf.float() for leaf in pytree.tree_leaves(step()) if isinstance(leaf, torch.Tensor)]


@pytest.mark.usefixtures("cpp_compiler")
@pytest.mark.parametrize("variant", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("make", [encoder, block, pair])
def test_every_variant_of_a_foreign_module_agrees_with_fp32_eager(make, variant):
    workload = make()
    expected, found = run(NAMED["eager_fp32"], workload), run(variant, workload)
    assert len(found) == len(expected) > 0
    for reference, output in zip(expected, found, strict=True):
        assert output.shape == reference.shape
        assert (output - reference).norm() / reference.norm() < ALLOWED_ERROR[variant.woq]


def test_a_block_of_convolutions_runs_in_bf16():
    x, time = torch.randn(1, 32, 8, 8), torch.randn(1, 64)
    workload = Workload(
        name="resnet",
        build=lambda: ResnetBlock2D(in_channels=32, out_channels=32, temb_channels=64),
        inputs=lambda: Inputs(args=(x, time)),
    )
    (expected,), (found,) = run(NAMED["eager_fp32"], workload), run(NAMED["eager_bf16"], workload)
    assert (found - expected).norm() / expected.norm() < 0.03


def test_a_model_without_linear_layers_has_no_weight_only_variant():
    workload = Workload(
        name="conv", build=lambda: nn.Conv2d(3, 4, 3), inputs=lambda: Inputs(args=(torch.ones(1, 3, 4, 4),))
    )
    with pytest.raises(NotApplicableError, match="no Linear layer"):
        apply.build(NAMED["woq_int8"], workload, workload.phases[0])


def test_the_workload_switches_attention_before_anything_else():
    seen = []

    def attention(module: nn.Module, kind: Attention) -> nn.Module:
        seen.append((kind, type(module[0])))
        return module

    workload = Workload(
        name="switched",
        phases=(Phase(name="forward", build=lambda: nn.Sequential(nn.Linear(32, 32)), inputs=Inputs),),
        attention=attention,
    )
    for name in ("eager_bf16", "woq_int8"):
        apply.build(NAMED[name], workload, workload.phases[0])
    assert seen == [(Attention.PLAIN, nn.Linear), (Attention.SDPA, nn.Linear)]


def test_a_built_module_is_for_inference_only():
    workload = pair()
    built = apply.build(NAMED["eager_bf16"], workload, workload.phases[0])
    assert not built.module.training
    assert not any(parameter.requires_grad for parameter in built.module.parameters())


def test_layers_left_in_bf16_are_named_and_run_in_bf16():
    x = torch.randn(2, 128)
    build = lambda: nn.Sequential(nn.Linear(128, 72), nn.Linear(72, 16))  # noqa: E731 - the short form's argument
    workload = Workload(name="odd", build=build, inputs=lambda: Inputs(args=(x,)))
    built = apply.build(Variant(name="int8", woq=Woq.INT8), workload, workload.phases[0])
    assert built.left_in_bf16 == ("1: K=72 is not a multiple of 16",)
    assert built.module(x.bfloat16()).dtype == torch.bfloat16


def test_int4_at_group_size_128_takes_less_than_a_third_of_bf16s_bytes():
    workload = Workload(name="wide", build=lambda: nn.Sequential(nn.Linear(512, 512, bias=False)))
    sizes = {
        name: apply.build(NAMED[name], workload, workload.phases[0]).weight_bytes
        for name in ("eager_fp32", "eager_bf16", "woq_int8", "woq_int4")
    }
    assert sizes["eager_fp32"] == 2 * sizes["eager_bf16"]
    assert sizes["woq_int8"] <= 0.51 * sizes["eager_bf16"]
    assert sizes["woq_int4"] <= 0.27 * sizes["eager_bf16"]


def test_an_embedding_counts_as_weight_but_is_not_streamed_unless_a_layer_multiplies_with_it():
    class Model(nn.Module):
        def __init__(self, *, tied: bool) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(100, 32), nn.Linear(32, 100, bias=False)
            if tied:
                self.head.weight = self.table.weight

    def built(*, tied: bool, variant: str) -> apply.Built:
        workload = Workload(name="model", build=lambda: Model(tied=tied))
        return apply.build(NAMED[variant], workload, workload.phases[0])

    apart, tied = built(tied=False, variant="eager_fp32"), built(tied=True, variant="eager_fp32")
    assert (apart.weight_bytes, apart.streamed_bytes) == (2 * 12800, 12800)
    assert (tied.weight_bytes, tied.streamed_bytes) == (12800, 12800)
    quantised = built(tied=True, variant="woq_int8")
    assert quantised.weight_bytes - quantised.streamed_bytes == 6400


@pytest.mark.parametrize("build", [apply.build, apply.build_streamed])
def test_a_model_on_another_device_is_refused_by_name(build):
    workload = Workload(name="away", build=lambda: nn.Sequential(nn.Linear(4, 4, device="meta")), inputs=Inputs)
    with pytest.raises(DataError, match=r"0\.weight is on the device meta.*\n?.*on the CPU"):
        build(NAMED["eager_fp32"], workload, workload.phases[0])
