"""SDXL: a UNet step, a VAE decode, and whole images of N steps, from diffusers' own modules."""

from __future__ import annotations

import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.workloads import weights
from pytest_xeonperf.workloads.diffusion_attention import switch
from pytest_xeonperf.workloads.diffusion_modules import SCALING_FACTOR, TextToImage, VaeDecoder, unet
from pytest_xeonperf.workloads.diffusion_sizes import (
    LATENT_CHANNELS,
    PIXELS_PER_LATENT,
    DiffusionSize,
    footprint_of,
    size_of,
)
from pytest_xeonperf.workloads.protocol import Compiler, Inputs, Phase, Step, Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import nn

    from pytest_xeonperf.workloads.presets import Preset

_TIMESTEP = 501
_FILES = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.fp16.safetensors")


def load(name: str, preset: Preset, options: Mapping[str, object]) -> Workload:
    """The workload ``sdxl`` with its phases ``unet_step``, ``vae_decode`` and ``image``.

    Args:
        name: ``sdxl``.
        preset: How large it is built; a `checkpoint` brings its whole depth also under `quick`.
        options: ``checkpoint``: folder in diffusers' layout (``unet/``, ``vae/``) instead of seeded weights;
            ``steps``: UNet steps of a whole image.

    Raises:
        UsageError: An option has a value it cannot have.
        DataError: A file of the checkpoint is not there or is cut off.
    """
    size = _size(name, preset, options)
    folder = _checkpoint(options)
    build_unet = partial(_build, partial(unet, size), folder, "unet")
    build_decoder = partial(_build, partial(VaeDecoder, size), folder, "vae")
    unet_step = Phase(
        name="unet_step",
        item="step",
        build=build_unet,
        inputs=partial(unet_inputs, size),
        bind=_bind_module,
        footprint=footprint_of(size, "unet_step"),
    )
    vae_decode = Phase(
        name="vae_decode",
        item="image",
        build=build_decoder,
        inputs=partial(vae_inputs, size),
        bind=_bind_module,
        footprint=footprint_of(size, "vae_decode"),
    )
    image = Phase(
        name="image",
        item="image",
        weight_passes=size.steps,
        build=lambda: TextToImage(build_unet(), build_decoder(), steps=size.steps, guided=size.guided),
        inputs=partial(image_inputs, size),
        bind=_bind_image,
        footprint=footprint_of(size, "image"),
    )
    # Another model is another series in the history.
    series = name if folder is None else f"{name}:{folder.name}"
    return Workload(name=series, phases=(unet_step, vae_decode, image), attention=switch)


def unet_inputs(size: DiffusionSize) -> Inputs:
    """Noisy latents in the middle of the way, a prompt's embeddings, and the size conditions, all seeded."""
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(size.unet_batch, LATENT_CHANNELS, size.unet_side, size.unet_side, generator=generator)  # fp32
    text, conditions = _prompt(size, size.unet_side, generator)
    return Inputs(
        args=(latents, torch.tensor(_TIMESTEP)),  # int64, so that no variant rounds it to BF16
        kwargs={"encoder_hidden_states": text, "added_cond_kwargs": conditions, "return_dict": False},
    )


def vae_inputs(size: DiffusionSize) -> Inputs:
    """Seeded latents [1, 4, side, side], FP32, that are of unit size once the decoder has unscaled them."""
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(1, LATENT_CHANNELS, size.vae_side, size.vae_side, generator=generator)  # fp32
    return Inputs(args=(latents * SCALING_FACTOR,))


def image_inputs(size: DiffusionSize) -> Inputs:
    """Pure noise [1, 4, side, side], FP32, and a prompt's embeddings, all seeded."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, LATENT_CHANNELS, size.image_side, size.image_side, generator=generator)  # fp32
    return Inputs(args=(noise, *_prompt(size, size.image_side, generator)))


def _prompt(size: DiffusionSize, side: int, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Embeddings [batch, tokens, width] of a prompt (and of the empty one), and SDXL's added conditions."""
    pixels = side * PIXELS_PER_LATENT
    time_ids = torch.tensor([[pixels, pixels, 0, 0, pixels, pixels]]).repeat(size.unet_batch, 1)  # [batch, 6] int64
    text = torch.randn(size.unet_batch, size.text_tokens, size.text_width, generator=generator)  # fp32
    pooled = torch.randn(size.unet_batch, size.pooled_width, generator=generator)  # fp32
    return text, {"text_embeds": pooled, "time_ids": time_ids}


def _bind_module(module: nn.Module, inputs: Inputs, compiler: Compiler) -> Step:
    call = compiler(module)
    return _quietly(lambda: call(*inputs.args, **inputs.kwargs))


def _bind_image(module: nn.Module, inputs: Inputs, compiler: Compiler) -> Step:
    """Compiles UNet and decoder; the loop around them and the scheduler stay as they are, as in diffusers' pipeline."""
    generator = cast("TextToImage", module)
    compiled_unet, compiled_decoder = compiler(generator.unet), compiler(generator.decoder)
    return _quietly(lambda: generator.generate(compiled_unet, compiled_decoder, *inputs.args))


def _quietly(step: Step) -> Step:
    """The step without two warnings that whoever turns warnings into errors would fail on.

    Dynamo traces through the cached version check in diffusers' upsampling, harmlessly, and warns that it does; and
    diffusers' scheduler hands a tensor to NumPy 2.4 by a protocol that torch has not brought up to date.
    """

    def quiet() -> object:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Dynamo detected a call to a `functools.lru_cache`")
            warnings.filterwarnings("ignore", message="__array__ implementation doesn't accept a copy keyword")
            return step()

    return quiet


def _build(construct: Callable[[], nn.Module], folder: Path | None, part: str) -> nn.Module:
    if folder is None:
        return weights.seeded(construct, key=f"sdxl-{part}")
    return weights.checkpoint(construct, _file(folder, part))


def _checkpoint(options: Mapping[str, object]) -> Path | None:
    """The folder of a checkpoint whose files are there and whole; none where weights are seeded."""
    if "checkpoint" not in options:
        return None
    folder = Path(str(options["checkpoint"])).expanduser()
    files = [_file(folder, part) for part in ("unet", "vae")]
    for path in [path for path in files if path.is_file()] or files:  # a phase may need only one of them
        weights.check(path)
    return folder


def _file(folder: Path, part: str) -> Path:
    candidates = [folder / part / file for file in _FILES]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _size(name: str, preset: Preset, options: Mapping[str, object]) -> DiffusionSize:
    size = size_of(preset, checkpoint=str(options.get("checkpoint", "")))
    steps = options.get("steps", size.steps)
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        raise UsageError(f"steps={steps!r}", where=f"workload {name}", remedy="give a whole number from 1")
    return replace(size, steps=steps)
