"""How large Segment Anything is built under each preset, and what that needs: torch-free arithmetic.

Architectures: segment-anything 1.0, ``build_sam.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_xeonperf.workloads.counting import NOTHING, Work, attend, conv, linear, norm, upsampling_conv
from pytest_xeonperf.workloads.presets import Preset
from pytest_xeonperf.workloads.protocol import Footprint

FP32_BYTES = 4
MASK_TOKENS = 4
"""Masks the decoder predicts: one for a clear prompt and three for an ambiguous one."""
DECODER_LAYERS = 2
DECODER_HEADS = 8
IOU_HEAD_WIDTH = 256
MASK_PROMPT_WIDTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SamSize:
    """One size of Segment Anything.

    Attributes:
        image_side: Pixels of the square input.
        patch_side: Pixels of a token's side.
        width: Channels of the encoder.
        global_blocks: Which blocks attend over the whole image; the others over windows.
        window: Tokens of a window's side.
        prompt_width: Channels of the embedding and of the decoder.
        decoder_mlp_width: Hidden channels of the decoder's MLP.
        batch: Images in one call.
        prompts: Objects asked for in each image, one mask triple each.
        points: Points of each prompt.
    """

    width: int
    depth: int
    heads: int
    global_blocks: tuple[int, ...]
    image_side: int = 1024
    patch_side: int = 16
    window: int = 14
    prompt_width: int = 256
    decoder_mlp_width: int = 2048
    batch: int = 1
    prompts: int = 4
    points: int = 2

    @property
    def grid(self) -> int:
        """Tokens of the image's side."""
        return self.image_side // self.patch_side


VIT_B = SamSize(width=768, depth=12, heads=12, global_blocks=(2, 5, 8, 11))
VIT_L = SamSize(width=1024, depth=24, heads=16, global_blocks=(5, 11, 17, 23))
VIT_H = SamSize(width=1280, depth=32, heads=16, global_blocks=(7, 15, 23, 31))
WHOLE = {"sam-vit-b": VIT_B, "sam-vit-l": VIT_L, "sam-vit-h": VIT_H}
"""The published architectures, for one image."""

_SMOKE = SamSize(
    width=64, depth=3, heads=4, global_blocks=(1,), image_side=320, window=7, prompt_width=64, decoder_mlp_width=128
)
_FULL_BATCH = 16
_QUICK_DEPTH = 8


def size_of(name: str, preset: Preset, *, checkpoint: str = "") -> SamSize:
    """What is built under a preset; a checkpoint brings its whole depth also under `quick`."""
    whole = WHOLE[name]
    if preset is Preset.SMOKE:
        return _SMOKE
    if preset is Preset.FULL:
        return replace(whole, batch=_FULL_BATCH)
    if whole is VIT_B or checkpoint:
        return whole
    return replace(whole, depth=_QUICK_DEPTH, global_blocks=(_QUICK_DEPTH - 1,))


def footprint(name: str, phase: str, preset: Preset, *, batch: int = 0, checkpoint: str = "") -> Footprint:
    """What a phase needs under a preset, with its ``batch`` unless another is given."""
    size = size_of(name, preset, checkpoint=checkpoint)
    return footprint_of(replace(size, batch=batch or size.batch), phase)


def footprint_of(size: SamSize, phase: str) -> Footprint:
    """What a phase needs at a size, for its whole batch."""
    work = _encoder(size) if phase == "encode" else _decoder(size)
    activations = _encoder_activations(size) if phase == "encode" else _decoder_activations(size)
    return Footprint(
        parameters=work.parameters,
        activation_bytes=activations * FP32_BYTES,
        flop=work.called(size.batch).flop,
    )


def _encoder(size: SamSize) -> Work:
    tokens = size.grid**2
    work = conv(3, size.width, kernel=size.patch_side, pixels=tokens) + Work(parameters=tokens * size.width)
    for block in range(size.depth):
        work += _block(size, is_global=block in size.global_blocks)
    work += conv(size.width, size.prompt_width, kernel=1, pixels=tokens, bias=False)
    work += conv(size.prompt_width, size.prompt_width, kernel=3, pixels=tokens, bias=False)
    return work + norm(size.prompt_width) * 2


def _block(size: SamSize, *, is_global: bool) -> Work:
    """One block of the encoder on one image."""
    side = size.grid if is_global else size.window
    windows = (-(-size.grid // side)) ** 2  # rounded up: the last ones are padded
    rows = windows * side**2
    head_width = size.width // size.heads
    tables = Work(parameters=2 * (2 * side - 1) * head_width, flop=2 * 2 * rows * side * size.width)
    mlp_rows, mlp_width = size.grid**2, 4 * size.width
    return (
        norm(size.width) * 2
        + linear(size.width, 3 * size.width, rows=rows)
        + tables
        + attend(size.width, queries=side**2, keys=side**2).called(windows)
        + linear(size.width, size.width, rows=rows)
        + linear(size.width, mlp_width, rows=mlp_rows)
        + linear(mlp_width, size.width, rows=mlp_rows)
    )


def _encoder_activations(size: SamSize) -> int:
    """Values alive at the peak: inside a global block upstream holds three score matrices of the whole batch."""
    tokens = size.grid**2
    scores = 3 * size.heads * tokens**2 if size.global_blocks else 0
    return size.batch * (3 * size.image_side**2 + scores + 8 * tokens * size.width)


def _decoder(size: SamSize) -> Work:
    """Prompt encoder and mask decoder for all prompts of one image."""
    width, image_tokens = size.prompt_width, size.grid**2
    tokens = 1 + MASK_TOKENS + size.points + 1  # the last: upstream pads with a point that is none
    layer = _decoder_layer(size, tokens)
    return (
        _prompt_encoder(size)
        + Work(parameters=(1 + MASK_TOKENS) * width)
        + layer * DECODER_LAYERS
        + _cross_attention(width, tokens, image_tokens).called(size.prompts)
        + norm(width)
        + _mask_head(width, image_tokens).called(size.prompts)
    )


def _prompt_encoder(size: SamSize) -> Work:
    """Point prompts only: the convolutions for mask prompts are there but do not run."""
    width, masks = size.prompt_width, MASK_PROMPT_WIDTH
    unused = (
        conv(1, masks // 4, kernel=2, pixels=0)
        + norm(masks // 4)
        + conv(masks // 4, masks, kernel=2, pixels=0)
        + norm(masks)
        + conv(masks, width, kernel=1, pixels=0)
    )
    positions = Work(flop=2 * size.grid**2 * width)
    return unused + positions + Work(parameters=6 * width)  # four kinds of point, no point, no mask


def _decoder_layer(size: SamSize, tokens: int) -> Work:
    width, image_tokens = size.prompt_width, size.grid**2
    layer = (
        linear(width, width, rows=tokens) * 4
        + attend(width, queries=tokens, keys=tokens)
        + _cross_attention(width, tokens, image_tokens)
        + linear(width, size.decoder_mlp_width, rows=tokens)
        + linear(size.decoder_mlp_width, width, rows=tokens)
        + _cross_attention(width, image_tokens, tokens)
        + norm(width) * 4
    )
    return layer.called(size.prompts)


def _cross_attention(width: int, queries: int, keys: int) -> Work:
    """Attention at half the width, as the decoder has it between tokens and image."""
    inner = width // 2
    return (
        linear(width, inner, rows=queries)
        + linear(width, inner, rows=keys) * 2
        + attend(inner, queries=queries, keys=keys)
        + linear(inner, width, rows=queries)
    )


def _mask_head(width: int, image_tokens: int) -> Work:
    """Upscaling, a small MLP for each mask, and the masks' estimated quality."""
    mlp = linear(width, width, rows=1) * 2 + linear(width, width // 8, rows=1)
    quality = (
        linear(width, IOU_HEAD_WIDTH, rows=1)
        + linear(IOU_HEAD_WIDTH, IOU_HEAD_WIDTH, rows=1)
        + linear(IOU_HEAD_WIDTH, MASK_TOKENS, rows=1)
    )
    return sum(
        (
            upsampling_conv(width, width // 4, kernel=2, pixels=image_tokens),
            norm(width // 4),
            upsampling_conv(width // 4, width // 8, kernel=2, pixels=4 * image_tokens),
            mlp * MASK_TOKENS,
            Work(flop=2 * MASK_TOKENS * (width // 8) * 16 * image_tokens),
            quality,
        ),
        NOTHING,
    )


def _decoder_activations(size: SamSize) -> int:
    """Values alive at the peak, for one image at a time: scores between tokens and image, and upscaled embeddings."""
    image_tokens, tokens = size.grid**2, 2 + MASK_TOKENS + size.points
    scores = 3 * DECODER_HEADS * image_tokens * tokens
    streams = 8 * image_tokens * size.prompt_width
    upscaled = 4 * 16 * image_tokens * size.prompt_width // 8
    embeddings = size.batch * image_tokens * size.prompt_width
    return embeddings + size.prompts * (scores + streams + upscaled)
