"""Footprints of Segment Anything against the real modules."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pytest_xeonperf.workloads import catalog
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.sam import PromptedDecoder, encoder
from pytest_xeonperf.workloads.sam_sizes import WHOLE, footprint, size_of


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize("name", WHOLE)
def test_parameters_are_counted_exactly(name, preset):
    size = size_of(name, preset)
    with torch.device("meta"):
        modules = {"encode": encoder(size), "decode": PromptedDecoder(size)}
    for phase, module in modules.items():
        real = sum(parameter.numel() for parameter in module.parameters())
        assert footprint(name, phase, preset).parameters == real


@pytest.mark.parametrize("phase", ["encode", "decode"])
def test_operations_are_within_a_percent_of_torchs_count(seeded_cache, phase):
    made = catalog.load("sam-vit-b", Preset.SMOKE, {"batch": 2}).phase(phase)
    step = made.bind(made.build(), made.inputs(), lambda call: call)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        step()
    assert made.footprint.flop == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_quick_vit_h_has_its_true_width_and_one_global_block_in_eight():
    size = size_of("sam-vit-h", Preset.QUICK)
    assert (size.width, size.depth, len(size.global_blocks), size.image_side) == (1280, 8, 1, 1024)


def test_the_arithmetic_needs_no_torch():
    modules = "pytest_xeonperf.workloads.sam_sizes, pytest_xeonperf.workloads.diffusion_sizes"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
