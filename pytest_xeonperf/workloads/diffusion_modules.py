"""SDXL's modules, made from diffusers' at a size: the UNet, the VAE's decoder, and the loop from noise to an image."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host.installation import INSTALL_MODELS
from pytest_xeonperf.workloads.segment_anything_modules import torchvision_problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.workloads.diffusion_sizes import DiffusionSize

SCALING_FACTOR = 0.13025
"""SDXL's latents are the VAE's times this."""
_GUIDANCE = 5.0
"""The pipeline's default weight of the prompt against the empty prompt."""


def diffusers_part(path: str) -> Any:
    """A module of diffusers, or what is in it, such as ``models.AutoencoderKL``.

    Raises:
        InfrastructureError: diffusers is not installed, or a broken torchvision keeps it from loading.
    """
    try:
        part = import_module("diffusers")
        for name in path.split("."):
            # a class loads at its first use, a module when it is imported
            part = getattr(part, name) if hasattr(part, name) else import_module(f"{part.__name__}.{name}")
    except (ImportError, RuntimeError) as error:
        raise InfrastructureError(
            f"diffusers does not load ({error})",
            remedy=torchvision_problem() or INSTALL_MODELS,
        ) from error
    return part


def unet(size: DiffusionSize) -> nn.Module:
    """The ``UNet2DConditionModel`` of diffusers in SDXL's configuration, at a size."""
    made: nn.Module = diffusers_part("models.UNet2DConditionModel")(
        sample_size=size.unet_side,
        block_out_channels=size.channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=size.layers,
        transformer_layers_per_block=size.transformer_layers,
        attention_head_dim=tuple(width // size.head_width for width in size.channels),  # the number of heads, upstream
        norm_num_groups=size.groups,
        cross_attention_dim=size.text_width,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=size.time_id_width,
        projection_class_embeddings_input_dim=size.added_width,
    )
    return made


class VaeDecoder(nn.Module):
    """The decoding half of diffusers' ``AutoencoderKL``: latents [batch, 4, side, side] to images of eight sides."""

    def __init__(self, size: DiffusionSize) -> None:
        super().__init__()
        levels = len(size.vae_channels)
        whole = diffusers_part("models.AutoencoderKL")(
            block_out_channels=size.vae_channels,
            down_block_types=("DownEncoderBlock2D",) * levels,
            up_block_types=("UpDecoderBlock2D",) * levels,
            layers_per_block=size.layers,
            norm_num_groups=size.groups,
            scaling_factor=SCALING_FACTOR,
        )
        self.post_quant_conv: nn.Module = whole.post_quant_conv
        self.decoder: nn.Module = whole.decoder

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Images [batch, 3, 8 * side, 8 * side], about -1 to 1."""
        image: torch.Tensor = self.decoder(self.post_quant_conv(latents / SCALING_FACTOR))
        return image


class TextToImage(nn.Module):
    """From noise and a prompt's embeddings to an image, as ``StableDiffusionXLPipeline`` goes."""

    def __init__(self, unet: nn.Module, decoder: nn.Module, *, steps: int, guided: bool) -> None:
        super().__init__()
        self.unet = unet
        self.decoder = decoder
        self.steps = steps
        self.guided = guided
        self.scheduler = diffusers_part("schedulers.EulerDiscreteScheduler")(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            timestep_spacing="leading",
            steps_offset=1,
        )

    def forward(self, noise: torch.Tensor, text: torch.Tensor, conditions: dict[str, torch.Tensor]) -> torch.Tensor:
        """The image [batch, 3, 8 * side, 8 * side]; see `generate`."""
        return self.generate(self.unet, self.decoder, noise, text, conditions)

    def generate(
        self,
        unet: Callable[..., Any],
        decoder: Callable[..., Any],
        noise: torch.Tensor,
        text: torch.Tensor,
        conditions: dict[str, torch.Tensor],
    ) -> torch.Tensor:
        """The same, with UNet and decoder given: compiled, or as they are.

        Args:
            unet: Stands for this module's own.
            decoder: Stands for this module's own.
            noise: [1, 4, side, side] of unit size.
            text: [batch, tokens, width]; batch is 2 with guidance, the empty prompt first.
            conditions: SDXL's ``text_embeds`` and ``time_ids``.
        """
        self.scheduler.set_timesteps(self.steps)
        latents = noise * self.scheduler.init_noise_sigma.to(noise.dtype)
        for timestep in self.scheduler.timesteps:
            scaled = self.scheduler.scale_model_input(latents, timestep)
            both = torch.cat([scaled, scaled]) if self.guided else scaled
            predicted = unet(
                both, timestep, encoder_hidden_states=text, added_cond_kwargs=conditions, return_dict=False
            )[0]
            if self.guided:
                without, prompted = predicted.chunk(2)
                predicted = without + _GUIDANCE * (prompted - without)
            latents = self.scheduler.step(predicted, timestep, latents, return_dict=False)[0]
        image: torch.Tensor = decoder(latents)
        return image
