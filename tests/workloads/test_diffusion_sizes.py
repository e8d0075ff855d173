"""Footprints of SDXL against the real modules."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pytest_xeonperf.workloads import catalog
from pytest_xeonperf.workloads.diffusion_modules import VaeDecoder, unet
from pytest_xeonperf.workloads.diffusion_sizes import footprint, size_of
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Attention


@pytest.mark.parametrize("preset", Preset)
def test_parameters_are_counted_exactly(preset):
    size = size_of(preset)
    with torch.device("meta"):
        real = {
            "unet_step": sum(parameter.numel() for parameter in unet(size).parameters()),
            "vae_decode": sum(parameter.numel() for parameter in VaeDecoder(size).parameters()),
        }
    for phase, parameters in real.items():
        assert footprint("sdxl", phase, preset).parameters == parameters
    assert footprint("sdxl", "image", preset).parameters == sum(real.values())


def test_the_whole_unet_is_the_published_one():
    assert footprint("sdxl", "unet_step", Preset.FULL).parameters == 2_567_463_684


@pytest.mark.parametrize("phase", ["unet_step", "vae_decode", "image"])
def test_operations_are_within_a_percent_of_torchs_count(seeded_cache, phase):
    workload = catalog.load("sdxl", Preset.SMOKE, {})
    made = workload.phase(phase)
    module = workload.attention(made.build(), Attention.PLAIN)  # torch does not count its fused kernel on CPU
    step = made.bind(module, made.inputs(), lambda call: call)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        step()
    assert made.footprint.flop == pytest.approx(counter.get_total_flops(), rel=0.01)
