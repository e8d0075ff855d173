"""The attention of diffusers' modules through a kernel of our own, where it is projections and attention alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_xeonperf.workloads import tiled_attention
from pytest_xeonperf.workloads.diffusion_modules import diffusers_part

if TYPE_CHECKING:
    import torch


class FusedProcessor:
    """Takes the place of ``AttnProcessor2_0``, which still does what the kernel was not made for: masks and images."""

    def __init__(self) -> None:
        tiled_attention.load()
        self.torchs = diffusers_part("models.attention_processor").AttnProcessor2_0()

    def __call__(
        self,
        attn: Any,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Tokens [B, Q, C] that have attended to themselves, or to others [B, K, C']; the names are diffusers'."""
        takes = tiled_attention.takes(attn.inner_dim // attn.heads, hidden_states.dtype) and hidden_states.ndim == 3  # noqa: PLR2004 - tokens
        if attention_mask is not None or not takes or not _is_plain(attn):
            return self.torchs(  # type: ignore[no-any-return]
                attn, hidden_states, encoder_hidden_states, attention_mask, temb
            )
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        projected = attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context)
        query, key, value = (tokens.unflatten(2, (attn.heads, -1)).transpose(1, 2) for tokens in projected)
        attended = tiled_attention.attend(query, key, value).flatten(2)
        for layer in attn.to_out:
            attended = layer(attended)
        return attended


def _is_plain(attn: Any) -> bool:
    """Whether there is nothing before its projections and after them."""
    normed = (attn.spatial_norm, attn.group_norm, attn.norm_cross)
    return not any(normed) and not attn.residual_connection and attn.rescale_output_factor == 1
