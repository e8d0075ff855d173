"""What the presets build, in figures that were agreed on, not in those of the code."""

from __future__ import annotations

import torch

from pytest_xeonperf.workloads.diffusion_modules import unet
from pytest_xeonperf.workloads.diffusion_sizes import size_of as diffusion_size
from pytest_xeonperf.workloads.llm_sizes import LLAMA_2_7B
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.sam import encoder
from pytest_xeonperf.workloads.sam_sizes import size_of as sam_size


def llama(preset):
    shape = LLAMA_2_7B[preset]
    widths = (shape.hidden, shape.intermediate, shape.heads, shape.kv_heads, shape.head_width, shape.vocabulary)
    return shape.layers, widths


def sam(name, preset):
    """Batch, image side, and of the encoder as built: width, heads, blocks, and those that attend globally."""
    size = sam_size(name, preset)
    with torch.device("meta"):
        blocks = encoder(size).blocks
    whole = [place for place, block in enumerate(blocks) if block.window_size == 0]
    attention = blocks[0].attn
    return size.batch, size.image_side, attention.proj.in_features, attention.num_heads, len(blocks), whole


def sdxl(preset):
    """Sides of the pixels of a step, a decode and an image, and of the UNet as built: layers, channels, latents."""
    size = diffusion_size(preset)
    with torch.device("meta"):
        built = unet(size).config
    pixels = [8 * side for side in (size.unet_side, size.vae_side, size.image_side)]
    return pixels, built.transformer_layers_per_block, built.block_out_channels, built.sample_size


LLAMA_2_7B_WIDTHS = (4096, 11008, 32, 32, 128, 32000)
VIT_B = (1024, 768, 12, 12, [2, 5, 8, 11])
VIT_H = (1024, 1280, 16, 32, [7, 15, 23, 31])


def test_quick_has_true_widths_and_fewer_layers():
    assert llama(Preset.QUICK) == (4, LLAMA_2_7B_WIDTHS)
    assert sam("sam-vit-b", Preset.QUICK) == (1, *VIT_B)
    assert sam("sam-vit-h", Preset.QUICK) == (1, 1024, 1280, 16, 8, [7])
    pixels, *built = sdxl(Preset.QUICK)
    assert pixels[:2] == [1024, 512]
    assert built == [(1, 1, 3), (320, 640, 1280), 128]


def test_full_is_the_blogs():
    assert llama(Preset.FULL) == (32, LLAMA_2_7B_WIDTHS)
    assert sam("sam-vit-b", Preset.FULL) == (16, *VIT_B)
    assert sam("sam-vit-h", Preset.FULL) == (16, *VIT_H)
    assert sdxl(Preset.FULL) == ([1024, 1024, 1024], (1, 2, 10), (320, 640, 1280), 128)
    assert diffusion_size(Preset.FULL).steps == 30
