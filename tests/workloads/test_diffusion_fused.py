"""The attention of diffusers' modules through our kernel, against its plain processor in FP32."""

import copy
import shutil

import pytest
import torch

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.records import Isa
from pytest_xeonperf.variants.apply import build, prepared
from pytest_xeonperf.variants.named import REFERENCE, from_keywords
from pytest_xeonperf.workloads import catalog
from pytest_xeonperf.workloads.diffusion_attention import switch
from pytest_xeonperf.workloads.diffusion_modules import diffusers_part
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention

pytestmark = pytest.mark.skipif(
    read_cpu().isa.rank < Isa.AVX512_BF16.rank or shutil.which("g++") is None,
    reason="the kernel needs AVX512_BF16 and a C++ compiler",
)

KERNEL = "tiled_attention"
TOKENS = torch.linspace(-2, 2, 2 * 50 * 64).reshape(2, 50, 64).sin().bfloat16()
TEXT = torch.linspace(-3, 3, 2 * 7 * 48).reshape(2, 7, 48).cos().bfloat16()
IMAGE = torch.linspace(-3, 3, 2 * 64 * 4 * 5).reshape(2, 64, 4, 5).cos().bfloat16()
MASK = torch.tensor([[[0.0] * 49 + [-10000.0]]] * 2).bfloat16()


@pytest.fixture
def make_attention():
    """Makes an attention of diffusers with the plain processor, in FP32."""

    def make(**fields):
        torch.manual_seed(0)
        upstream = diffusers_part("models.attention_processor")
        attention = upstream.Attention(64, heads=4, dim_head=16, processor=upstream.AttnProcessor(), **fields)
        return attention.bfloat16().float().eval().requires_grad_(requires_grad=False)

    return make


@pytest.mark.parametrize(
    ("fields", "given", "calls"),
    [
        ({}, {"hidden_states": TOKENS}, 1),
        ({"bias": True, "out_bias": False}, {"hidden_states": TOKENS}, 1),
        ({"cross_attention_dim": 48}, {"hidden_states": TOKENS, "encoder_hidden_states": TEXT}, 1),
        ({}, {"hidden_states": TOKENS, "attention_mask": MASK}, 0),
        ({"norm_num_groups": 8}, {"hidden_states": IMAGE}, 0),
        ({"norm_num_groups": 8}, {"hidden_states": TOKENS}, 0),
        ({"residual_connection": True}, {"hidden_states": TOKENS}, 0),
        ({"rescale_output_factor": 2.0}, {"hidden_states": TOKENS}, 0),
        (
            {"cross_attention_dim": 48, "cross_attention_norm": "layer_norm"},
            {"hidden_states": TOKENS, "encoder_hidden_states": TEXT},
            0,
        ),
    ],
    ids=["itself", "biases", "text", "mask", "image", "norm", "residual", "rescaled", "normed text"],
)
def test_it_is_what_the_plain_processor_computes(make_attention, kernel_calls, cosine, *, fields, given, calls):
    attention = make_attention(**fields)
    expected = attention(**{name: tensor.float() for name, tensor in given.items()})
    fused = switch(copy.deepcopy(attention).bfloat16(), Attention.FUSED)
    found, made = kernel_calls(lambda: fused(**given), KERNEL)
    assert made == [calls]
    assert cosine(found, expected) > 0.9999


def test_a_width_that_is_none_of_the_kernels_goes_through_torchs(kernel_calls, cosine):
    upstream = diffusers_part("models.attention_processor")
    attention = upstream.Attention(48, heads=2, dim_head=24, processor=upstream.AttnProcessor()).eval()
    tokens = TOKENS[..., :48]
    fused = switch(copy.deepcopy(attention).bfloat16(), Attention.FUSED)
    found, made = kernel_calls(lambda: fused(tokens), KERNEL)
    assert made == [0]
    assert cosine(found, attention(tokens.float())) > 0.9999


@pytest.mark.parametrize("attention", [Attention.PLAIN, Attention.SDPA])
def test_other_attentions_undo_it(make_attention, kernel_calls, attention):
    fused = switch(make_attention().bfloat16(), Attention.FUSED)
    assert kernel_calls(lambda: switch(fused, attention)(TOKENS), KERNEL)[1] == [0]


@pytest.mark.usefixtures("seeded_cache")
@pytest.mark.parametrize(("dtype", "least"), [("bf16", 0.999), ("fp32", 1 - 1e-5)])
def test_the_unet_gives_the_same_noise(kernel_calls, cosine, dtype, least):
    workload = catalog.load("sdxl", Preset.SMOKE, {})
    phase = workload.phase("unet_step")

    def noise(variant):
        return build(variant, workload, phase).bind(phase, prepared(phase.inputs(), variant))()

    found, (made,) = kernel_calls(lambda: noise(from_keywords({"attention": "fused", "dtype": dtype})), KERNEL)
    assert made > 0
    with torch.no_grad():
        (found,), (expected,) = (torch.utils._pytree.tree_leaves(each) for each in (found, noise(REFERENCE)))
    assert cosine(found, expected) > least
