"""SDXL's workload at smoke size."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError
from pytest_xeonperf.variants.eager import cast_inputs, cast_module
from pytest_xeonperf.variants.spec import Dtype
from pytest_xeonperf.workloads import catalog
from pytest_xeonperf.workloads.diffusion_modules import VaeDecoder, diffusers_part, unet
from pytest_xeonperf.workloads.diffusion_sizes import size_of
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention

SIZE = size_of(Preset.SMOKE)
FILE = "diffusion_pytorch_model.safetensors"
PHASES = ["unet_step", "vae_decode", "image"]


def run(workload, name, dtype=Dtype.FP32, attention=Attention.PLAIN, compiler=lambda call: call):
    """The first tensor that the step of a phase returns."""
    phase = workload.phase(name)
    module = cast_module(workload.attention(phase.build(), attention), dtype)
    with torch.no_grad():
        step = phase.bind(module, cast_inputs(phase.inputs(), dtype), compiler)
        return torch.utils._pytree.tree_leaves(step())[0]


@pytest.fixture
def workload(seeded_cache):
    return catalog.load("sdxl", Preset.SMOKE, {})


@pytest.mark.parametrize("phase", PHASES)
def test_attention_by_sdpa_is_exact_in_fp32(workload, phase):
    torch.testing.assert_close(
        run(workload, phase, attention=Attention.SDPA), run(workload, phase), atol=1e-3, rtol=1e-3
    )


@pytest.mark.parametrize("attention", [Attention.PLAIN, Attention.SDPA])
@pytest.mark.parametrize("phase", PHASES)
def test_bf16_stays_close(workload, phase, attention, cosine):
    found = run(workload, phase, Dtype.BF16, attention)
    assert found.dtype is torch.bfloat16
    assert cosine(found, run(workload, phase)) > 0.99


@pytest.mark.parametrize("phase", ["unet_step", "vae_decode"])
def test_the_hot_callable_is_captured_as_one_graph(workload, phase, capture):
    captured = run(workload, phase, attention=Attention.SDPA, compiler=capture)
    torch.testing.assert_close(captured, run(workload, phase), atol=1e-3, rtol=1e-3)


def test_attention_is_switched_everywhere_and_back(workload):
    attentions = diffusers_part("models.attention_processor")
    module = workload.phase("image").build()
    for attention, processor in (
        (Attention.SDPA, attentions.AttnProcessor2_0),
        (Attention.PLAIN, attentions.AttnProcessor),
    ):
        workload.attention(module, attention)
        kinds = [type(part.processor) for part in module.modules() if isinstance(part, attentions.Attention)]
        assert len(kinds) > 5
        assert set(kinds) == {processor}


@pytest.mark.parametrize(
    "forgotten",
    ["time_embedding.linear_2.bias", "conv_in.bias", "mid_block.attentions.0.transformer_blocks.0.ff.net.2.bias"],
)
def test_forgetting_a_bias_shows(workload, forgotten, cosine):
    phase = workload.phase("unet_step")
    module, inputs = phase.build(), phase.inputs()
    (expected,) = module(*inputs.args, **inputs.kwargs)
    lossy = cosine(run(workload, "unet_step", Dtype.BF16), expected)
    module.get_parameter(forgotten).data = torch.zeros_like(module.get_parameter(forgotten))
    assert 1 - cosine(module(*inputs.args, **inputs.kwargs)[0], expected) > 3 * (1 - lossy)


def test_every_condition_reaches_the_unet(workload, cosine):
    phase = workload.phase("unet_step")
    module, inputs = phase.build(), phase.inputs()
    (expected,) = module(*inputs.args, **inputs.kwargs)
    conditions = inputs.kwargs["added_cond_kwargs"]
    (other_time,) = module(inputs.args[0], torch.tensor(1), **inputs.kwargs)
    (other_text,) = module(
        *inputs.args,
        **inputs.kwargs | {"encoder_hidden_states": torch.zeros_like(inputs.kwargs["encoder_hidden_states"])},
    )
    (other_size,) = module(
        *inputs.args,
        **inputs.kwargs | {"added_cond_kwargs": conditions | {"time_ids": torch.zeros_like(conditions["time_ids"])}},
    )
    assert all(cosine(other, expected) < 0.9999 for other in (other_time, other_text, other_size))


def test_an_image_is_eight_times_its_latents(workload):
    assert run(workload, "image").shape == (1, 3, 8 * SIZE.image_side, 8 * SIZE.image_side)
    assert run(workload, "vae_decode").shape == (1, 3, 8 * SIZE.vae_side, 8 * SIZE.vae_side)


def test_more_steps_stream_the_weights_more_often_and_end_elsewhere(seeded_cache, workload):
    longer = catalog.load("sdxl", Preset.SMOKE, {"steps": 3})
    assert (workload.phase("image").weight_passes, longer.phase("image").weight_passes) == (2, 3)
    assert longer.phase("image").footprint.flop > workload.phase("image").footprint.flop
    assert not torch.allclose(run(longer, "image"), run(workload, "image"))


def test_a_step_does_the_same_every_time(workload):
    phase = workload.phase("image")
    with torch.no_grad():
        step = phase.bind(phase.build(), phase.inputs(), lambda call: call)
        torch.testing.assert_close(step(), step(), rtol=0, atol=0)


@pytest.mark.parametrize("steps", [0, "two", True])
def test_steps_that_are_no_count_are_refused(steps):
    with pytest.raises(UsageError, match="steps="):
        catalog.load("sdxl", Preset.SMOKE, {"steps": steps})


@pytest.fixture
def parts(tmp_path):
    """The modules of a checkpoint in the folder ``tuned``."""
    made = {"unet": unet(SIZE), "vae": VaeDecoder(SIZE)}
    for part, module in made.items():
        (tmp_path / "tuned" / part).mkdir(parents=True)
        save_file(module.state_dict(), tmp_path / "tuned" / part / FILE)
    return made


def test_a_checkpoint_in_the_layout_of_diffusers_is_used(tmp_path, parts):
    workload = catalog.load("sdxl", Preset.SMOKE, {"checkpoint": str(tmp_path / "tuned")})
    assert workload.name == "sdxl:tuned"
    torch.testing.assert_close(workload.phase("unet_step").build().state_dict(), parts["unet"].state_dict())
    torch.testing.assert_close(workload.phase("vae_decode").build().state_dict(), parts["vae"].state_dict())


def test_a_checkpoint_brings_its_whole_depth_under_quick(tmp_path, parts):
    workload = catalog.load("sdxl", Preset.QUICK, {"checkpoint": str(tmp_path / "tuned")})
    assert workload.phase("unet_step").footprint.parameters == 2_567_463_684


def test_a_folder_without_a_checkpoint_is_found_before_anything_is_built(tmp_path):
    with pytest.raises(DataError, match=rf"unet/{FILE}: no such checkpoint"):
        catalog.load("sdxl", Preset.SMOKE, {"checkpoint": str(tmp_path)})


def test_a_phase_needs_only_its_own_part_of_a_checkpoint(tmp_path, parts):
    (tmp_path / "tuned" / "vae" / FILE).unlink()
    workload = catalog.load("sdxl", Preset.SMOKE, {"checkpoint": str(tmp_path / "tuned")})
    assert workload.phase("unet_step").build()
    with pytest.raises(DataError, match=rf"vae/{FILE}: no such checkpoint"):
        workload.phase("vae_decode").build()


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_a_truncated_file_of_a_checkpoint_is_found_before_anything_is_built(tmp_path, parts, part):
    file = tmp_path / "tuned" / part / FILE
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"{part}/{FILE}: not a readable(.|\n)*truncated: fetch or write it again"):
        catalog.load("sdxl", Preset.SMOKE, {"checkpoint": str(tmp_path / "tuned")})


def test_a_missing_diffusers_is_said(monkeypatch):
    monkeypatch.setattr("pytest_xeonperf.workloads.diffusion_modules.import_module", _missing)
    with pytest.raises(InfrastructureError, match="diffusers does not load"):
        unet(SIZE)


def _missing(name):
    raise ImportError(name)
