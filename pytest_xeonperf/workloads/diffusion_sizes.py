"""How large SDXL is built under each preset, and what that needs: torch-free arithmetic.

Architecture: the configurations of stable-diffusion-xl-base-1.0, as diffusers reads them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

from pytest_xeonperf.workloads.counting import NOTHING, Work, attend, conv, linear, norm
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Footprint

FP32_BYTES = 4
LATENT_CHANNELS = 4
PIXELS_PER_LATENT = 8
TIME_IDS = 6
"""Original size, crop and target size, two numbers each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffusionSize:
    """One size of SDXL.

    Attributes:
        channels: Of the UNet's three levels, from fine to coarse.
        transformer_layers: Transformer blocks in each attention of a level; the finest level has no attention.
        layers: Residual blocks on each level on the way down; one more on the way up.
        head_width: Channels of an attention head.
        groups: Of every group norm.
        text_tokens: Tokens of the prompt.
        text_width: Channels of a token's embedding.
        pooled_width: Channels of the prompt's pooled embedding.
        time_id_width: Sinusoidal features of each of the six size conditions.
        vae_channels: Of the VAE's four levels, from fine to coarse.
        unet_side: Latents' side of a UNet step.
        vae_side: Latents' side of a VAE decode.
        image_side: Latents' side of a whole image.
        guided: Whether a step runs the prompt and the empty prompt (classifier-free guidance), as the pipeline does.
        steps: UNet steps of a whole image.
    """

    transformer_layers: tuple[int, int, int]
    unet_side: int
    vae_side: int
    image_side: int
    guided: bool
    steps: int
    channels: tuple[int, int, int] = (320, 640, 1280)
    layers: int = 2
    head_width: int = 64
    groups: int = 32
    text_tokens: int = 77
    text_width: int = 2048
    pooled_width: int = 1280
    time_id_width: int = 256
    vae_channels: tuple[int, int, int, int] = (128, 256, 512, 512)

    @property
    def unet_batch(self) -> int:
        """Latents that one step denoises."""
        return 2 if self.guided else 1

    @property
    def time_width(self) -> int:
        """Channels of the time embedding."""
        return 4 * self.channels[0]

    @property
    def added_width(self) -> int:
        """Channels of the pooled prompt and the size conditions together."""
        return self.pooled_width + TIME_IDS * self.time_id_width


_FULL = DiffusionSize(transformer_layers=(1, 2, 10), unet_side=128, vae_side=128, image_side=128, guided=True, steps=30)
_QUICK = DiffusionSize(transformer_layers=(1, 1, 3), unet_side=128, vae_side=64, image_side=32, guided=False, steps=2)
_SMOKE = DiffusionSize(
    transformer_layers=(1, 1, 1),
    unet_side=8,
    vae_side=8,
    image_side=8,
    guided=True,
    steps=2,
    channels=(32, 64, 128),
    layers=1,
    head_width=16,
    groups=8,
    text_tokens=7,
    text_width=48,
    pooled_width=32,
    time_id_width=16,
    vae_channels=(16, 16, 32, 64),
)
_SIZES = {Preset.SMOKE: _SMOKE, Preset.QUICK: _QUICK, Preset.FULL: _FULL}


def size_of(preset: Preset, *, checkpoint: str = "") -> DiffusionSize:
    """What is built under a preset; a checkpoint brings its whole depth also under `quick`."""
    size = _SIZES[preset]
    if not checkpoint or preset is not Preset.QUICK:
        return size
    return replace(size, transformer_layers=_FULL.transformer_layers)


def footprint(name: str, phase: str, preset: Preset, *, steps: int = 0, checkpoint: str = "") -> Footprint:
    """What a phase needs under a preset, with its number of ``steps`` unless another is given."""
    del name  # there is one architecture
    size = size_of(preset, checkpoint=checkpoint)
    return footprint_of(replace(size, steps=steps or size.steps), phase)


def footprint_of(size: DiffusionSize, phase: str) -> Footprint:
    """What a phase needs at a size."""
    if phase == "unet_step":
        work, values = unet(size, size.unet_side), _unet_activations(size, size.unet_side)
    elif phase == "vae_decode":
        work, values = vae_decoder(size, size.vae_side), _vae_activations(size, size.vae_side)
    else:
        work = unet(size, size.image_side).called(size.steps) + vae_decoder(size, size.image_side)
        values = max(_unet_activations(size, size.image_side), _vae_activations(size, size.image_side))
    return Footprint(
        parameters=work.parameters,
        activation_bytes=values * FP32_BYTES,
        flop=work.flop,
        weight_passes=size.steps if phase == "image" else 1,
    )


def unet(size: DiffusionSize, side: int) -> Work:
    """The UNet, and one step of it on its whole batch."""
    first, last, time = size.channels[0], size.channels[-1], size.time_width
    work = (
        linear(first, time, rows=1)
        + linear(time, time, rows=1) * 2
        + linear(size.added_width, time, rows=1)
        + conv(LATENT_CHANNELS, first, kernel=3, pixels=side**2)
    )
    skips, channels = [first], first
    for level, out in enumerate(size.channels):
        for _ in range(size.layers):
            work += _unet_layer(size, level, channels, out, side)
            channels = out
            skips.append(out)
        if level < len(size.channels) - 1:
            side //= 2
            work += conv(out, out, kernel=3, pixels=side**2)
            skips.append(out)
    bottom = len(size.channels) - 1
    work += _unet_layer(size, bottom, last, last, side) + _resnet(last, last, time, side)
    for level in reversed(range(len(size.channels))):
        for _ in range(size.layers + 1):
            work += _unet_layer(size, level, channels + skips.pop(), size.channels[level], side)
            channels = size.channels[level]
        if level > 0:
            side *= 2
            work += conv(channels, channels, kernel=3, pixels=side**2)
    work += norm(first) + conv(first, LATENT_CHANNELS, kernel=3, pixels=side**2)
    return work.called(size.unet_batch)


def _unet_layer(size: DiffusionSize, level: int, inputs: int, outputs: int, side: int) -> Work:
    """A residual block, and on all but the finest level a transformer."""
    work = _resnet(inputs, outputs, size.time_width, side)
    return work + _transformer(size, outputs, size.transformer_layers[level], side**2) if level > 0 else work


def _resnet(inputs: int, outputs: int, time_width: int, side: int) -> Work:
    """A residual block; the VAE's have no time embedding."""
    shortcut = conv(inputs, outputs, kernel=1, pixels=side**2) if inputs != outputs else NOTHING
    time = linear(time_width, outputs, rows=1) if time_width else NOTHING
    convs = conv(inputs, outputs, kernel=3, pixels=side**2) + conv(outputs, outputs, kernel=3, pixels=side**2)
    return norm(inputs) + norm(outputs) + convs + time + shortcut


def _transformer(size: DiffusionSize, width: int, layers: int, tokens: int) -> Work:
    """Projections around blocks of self-attention, cross-attention to the text, and a gated MLP."""
    to_text = linear(size.text_width, width, rows=size.text_tokens, bias=False) * 2
    block = (
        norm(width) * 3
        + linear(width, width, rows=tokens, bias=False) * 4
        + to_text
        + linear(width, width, rows=tokens) * 2
        + attend(width, queries=tokens, keys=tokens)
        + attend(width, queries=tokens, keys=size.text_tokens)
        + linear(width, 8 * width, rows=tokens)
        + linear(4 * width, width, rows=tokens)
    )
    return norm(width) + linear(width, width, rows=tokens) * 2 + block * layers


def vae_decoder(size: DiffusionSize, side: int) -> Work:
    """The VAE's decoder with the convolution before it, on one image."""
    coarse_to_fine = size.vae_channels[::-1]
    top = coarse_to_fine[0]
    tokens = side**2
    work = conv(LATENT_CHANNELS, LATENT_CHANNELS, kernel=1, pixels=tokens)
    work += conv(LATENT_CHANNELS, top, kernel=3, pixels=tokens)
    work += _resnet(top, top, 0, side) * 2 + norm(top)
    work += linear(top, top, rows=tokens) * 4 + attend(top, queries=tokens, keys=tokens)
    for level, (before, width) in enumerate(pairwise((top, *coarse_to_fine))):
        work += _resnet(before, width, 0, side) + _resnet(width, width, 0, side) * size.layers
        if level < len(coarse_to_fine) - 1:
            side *= 2
            work += conv(width, width, kernel=3, pixels=side**2)
    return work + norm(coarse_to_fine[-1]) + conv(coarse_to_fine[-1], 3, kernel=3, pixels=side**2)


def _unet_activations(size: DiffusionSize, side: int) -> int:
    """Values alive at the peak: two score matrices of the finest attention, or feature maps with their skips."""
    tokens = (side // 2) ** 2
    scores = 2 * (size.channels[1] // size.head_width) * tokens**2 + 6 * tokens * size.channels[1]
    maps = 6 * side**2 * size.channels[0]
    skips = (size.layers + 2) * side**2 * size.channels[0]
    return size.unet_batch * (skips + max(scores, maps))


def _vae_activations(size: DiffusionSize, side: int) -> int:
    """Values alive at the peak: two score matrices of its one head, or the maps of the finest upsampling."""
    pixels = (PIXELS_PER_LATENT * side) ** 2
    return max(2 * side**4, 4 * pixels * max(size.vae_channels[:2]))
