"""Segment Anything's workload at smoke size."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from PIL import Image

from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.records import Score
from pytest_xeonperf.variants.eager import cast_inputs, cast_module
from pytest_xeonperf.variants.spec import Dtype
from pytest_xeonperf.workloads import catalog
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention
from pytest_xeonperf.workloads.sam import PromptedDecoder, encoder, mask_agreement
from pytest_xeonperf.workloads.sam_sizes import size_of

SIZE = size_of("sam-vit-b", Preset.SMOKE)
PHASES = ["encode", "decode"]


def run(workload, name, dtype=Dtype.FP32, attention=Attention.PLAIN, compiler=lambda call: call):
    """What the step of a phase returns."""
    phase = workload.phase(name)
    module = cast_module(workload.attention(phase.build(), attention), dtype)
    with torch.no_grad():
        return phase.bind(module, cast_inputs(phase.inputs(), dtype), compiler)()


@pytest.fixture
def workload(seeded_cache):
    return catalog.load("sam-vit-b", Preset.SMOKE, {})


@pytest.fixture
def checkpoint(tmp_path):
    """The weights of a decoder alone."""
    path = tmp_path / "sam.pth"
    torch.save(PromptedDecoder(SIZE).state_dict(), path)
    return path


@pytest.mark.parametrize("phase", PHASES)
def test_attention_by_sdpa_is_exact_in_fp32(workload, phase):
    torch.testing.assert_close(
        run(workload, phase, attention=Attention.SDPA), run(workload, phase), atol=1e-4, rtol=1e-4
    )


@pytest.mark.parametrize("attention", Attention)
@pytest.mark.parametrize("phase", PHASES)
def test_bf16_stays_close(workload, phase, attention, cosine):
    expected, found = (
        run(workload, phase),
        run(workload, phase, Dtype.BF16, attention),
    )
    for left, right in zip(
        torch.utils._pytree.tree_leaves(expected), torch.utils._pytree.tree_leaves(found), strict=True
    ):
        assert right.dtype is torch.bfloat16
        assert cosine(left, right) > 0.999


@pytest.mark.parametrize("phase", PHASES)
def test_the_hot_callable_is_captured_as_one_graph(workload, phase, capture):
    captured = run(workload, phase, attention=Attention.SDPA, compiler=capture)
    torch.testing.assert_close(captured, run(workload, phase), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "forgotten",
    [
        "pos_embed",
        "blocks.1.attn.rel_pos_h",
        "blocks.0.attn.rel_pos_w",
        "blocks.1.attn.qkv.bias",
        "blocks.1.mlp.lin2.bias",
    ],
)
def test_forgetting_a_bias_or_a_position_table_shows(workload, forgotten, cosine):
    phase = workload.phase("encode")
    module, x = phase.build(), phase.inputs().args[0]
    expected = module(x)
    lossy = cosine(module.bfloat16()(x.bfloat16()), expected)
    whole = phase.build()
    whole.get_parameter(forgotten).data = torch.zeros_like(whole.get_parameter(forgotten))
    assert 1 - cosine(whole(x), expected) > 10 * (1 - lossy)


@pytest.mark.parametrize("forgotten", ["blocks.0.norm1.weight", "blocks.1.norm2.weight", "neck.1.weight"])
def test_forgetting_a_norms_scale_shows(workload, forgotten, cosine):
    phase = workload.phase("encode")
    module, x = phase.build(), phase.inputs().args[0]
    expected = module(x)
    module.get_parameter(forgotten).data = torch.ones_like(module.get_parameter(forgotten))
    assert cosine(module(x), expected) < 0.9995


def test_a_batch_is_as_many_images_as_asked_for(seeded_cache):
    workload = catalog.load("sam-vit-b", Preset.SMOKE, {"batch": 2})
    assert workload.phase("encode").items_per_call == 2
    assert run(workload, "encode").shape == (2, SIZE.prompt_width, SIZE.grid, SIZE.grid)
    masks, qualities = run(workload, "decode")
    assert masks.shape == (2, SIZE.prompts, 3, 4 * SIZE.grid, 4 * SIZE.grid)
    assert qualities.shape == (2, SIZE.prompts, 3)


@pytest.mark.parametrize("batch", [0, -1, "many", True, 1.5])
def test_a_batch_that_is_no_count_is_refused(batch):
    with pytest.raises(UsageError, match="batch="):
        catalog.load("sam-vit-b", Preset.SMOKE, {"batch": batch})


def test_a_step_does_the_same_every_time(workload):
    phase = workload.phase("decode")
    step = phase.bind(phase.build(), phase.inputs(), lambda call: call)
    with torch.no_grad():
        torch.testing.assert_close(step(), step(), rtol=0, atol=0)


def test_the_positional_frequencies_stay_in_fp32():
    decoder = cast_module(PromptedDecoder(SIZE), Dtype.BF16)
    assert decoder.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix.dtype is torch.float32
    assert decoder.mask_decoder.iou_token.weight.dtype is torch.bfloat16


def test_a_published_checkpoint_gives_each_phase_its_part(tmp_path):
    original, decoder = encoder(SIZE), PromptedDecoder(SIZE)
    state = {f"image_encoder.{name}": tensor for name, tensor in original.state_dict().items()}
    torch.save(state | decoder.state_dict(), tmp_path / "sam.pth")
    workload = catalog.load("sam-vit-b", Preset.SMOKE, {"checkpoint": str(tmp_path / "sam.pth")})
    torch.testing.assert_close(workload.phase("encode").build().state_dict(), original.state_dict())
    torch.testing.assert_close(workload.phase("decode").build().state_dict(), decoder.state_dict())


def test_a_checkpoint_of_another_size_is_refused(checkpoint):
    workload = catalog.load("sam-vit-b", Preset.SMOKE, {"checkpoint": str(checkpoint)})
    with pytest.raises(DataError, match="missing"):
        workload.phase("encode").build()


def test_a_checkpoint_brings_its_whole_depth_under_quick_and_its_name(checkpoint):
    workload = catalog.load("sam-vit-h", Preset.QUICK, {"checkpoint": str(checkpoint)})
    assert workload.phase("encode").footprint.parameters > 600_000_000
    assert workload.name == "sam-vit-h:sam.pth"
    assert catalog.load("sam-vit-h", Preset.QUICK, {}).name == "sam-vit-h"


def test_a_missing_checkpoint_is_found_before_anything_is_built(tmp_path):
    with pytest.raises(DataError, match="no such checkpoint"):
        catalog.load("sam-vit-b", Preset.SMOKE, {"checkpoint": str(tmp_path / "sam.pth")})


def test_a_truncated_checkpoint_is_found_before_anything_is_built(checkpoint):
    checkpoint.write_bytes(checkpoint.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"sam\.pth: is cut off(.|\n)*fetch it again"):
        catalog.load("sam-vit-b", Preset.SMOKE, {"checkpoint": str(checkpoint)})


def test_a_path_may_begin_at_the_users_home(checkpoint, monkeypatch):
    monkeypatch.setenv("HOME", str(checkpoint.parent))
    assert catalog.load("sam-vit-b", Preset.SMOKE, {"checkpoint": "~/sam.pth"}).name == "sam-vit-b:sam.pth"


@pytest.mark.parametrize("folder", ["empty", "missing"])
def test_a_folder_without_images_is_found_before_anything_is_built(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images there"):
        catalog.load("sam-vit-b", Preset.SMOKE, {"images": str(tmp_path / folder)})


def test_users_images_are_used_and_leave_the_name_as_it_is(tmp_path):
    Image.new("RGB", (8, 8), "white").save(tmp_path / "white.png")
    workload = catalog.load("sam-vit-b", Preset.SMOKE, {"images": str(tmp_path)})
    assert (workload.phase("encode").inputs().args[0] > 2).all()
    assert workload.name == "sam-vit-b"


@pytest.mark.parametrize(
    ("reference", "output", "expected"),
    [
        ([1.0, 1, -1, -1], [1.0, 1, -1, -1], 1.0),
        ([1.0, 1, -1, -1], [5.0, -1, -1, -1], 0.5),
        ([1.0, 1, -1, -1], [-1.0, -1, 1, 1], 0.0),
        ([-1.0, -1, -1, -1], [-1.0, -2, -3, -4], 1.0),
    ],
)
def test_mask_agreement_is_intersection_over_union(reference, output, expected):
    masks = partial(torch.tensor, dtype=torch.float32)
    quality = torch.ones(1)
    scores = mask_agreement((masks(reference).view(1, 1, 2, 2), quality), (masks(output).view(1, 1, 2, 2), quality))
    assert scores == (Score(name="iou", value=expected),)
