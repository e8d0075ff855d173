"""Segment Anything: the image encoder, and prompt encoder with mask decoder, from segment-anything's own modules."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Score
from pytest_xeonperf.workloads import images, weights
from pytest_xeonperf.workloads.precision import keep_dtype
from pytest_xeonperf.workloads.protocol import Compiler, Inputs, Phase, Step, Workload
from pytest_xeonperf.workloads.sam_attention import switch
from pytest_xeonperf.workloads.sam_sizes import (
    DECODER_HEADS,
    DECODER_LAYERS,
    IOU_HEAD_WIDTH,
    MASK_PROMPT_WIDTH,
    MASK_TOKENS,
    SamSize,
    footprint_of,
    size_of,
)
from pytest_xeonperf.workloads.segment_anything_modules import modeling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_xeonperf.workloads.presets import Preset


def load(name: str, preset: Preset, options: Mapping[str, object]) -> Workload:
    """The workload ``sam-vit-b``, ``sam-vit-l`` or ``sam-vit-h`` with its phases ``encode`` and ``decode``.

    Args:
        name: Which of the three.
        preset: How large it is built; a `checkpoint` brings its whole depth also under `quick`.
        options: ``checkpoint``: path of segment-anything's own ``.pth`` (or safetensors) instead of seeded weights;
            ``images``: folder of photographs instead of the bundled one; ``batch``: images in one call.

    Raises:
        UsageError: An option has a value it cannot have.
        DataError: The checkpoint is not there or is cut off, or the folder holds no image.
    """
    size = _size(name, preset, options)
    folder, path = _path(options, "images"), _path(options, "checkpoint")
    if folder is not None:
        images.photographs(folder)  # said here, before a model is built for them
    if path is not None:
        weights.check(path)
    encode = Phase(
        name="encode",
        item="image",
        items_per_call=size.batch,
        build=partial(_build, partial(encoder, size), path, f"{name}-encoder", "image_encoder."),
        inputs=lambda: Inputs(args=(images.batch(folder, count=size.batch, side=size.image_side),)),
        footprint=footprint_of(size, "encode"),
    )
    decode = Phase(
        name="decode",
        item="image",
        items_per_call=size.batch,
        build=partial(_build, partial(PromptedDecoder, size), path, "sam-decoder", ""),
        inputs=partial(prompted_inputs, size),
        bind=_bind_decode,
        scores=mask_agreement,
        footprint=footprint_of(size, "decode"),
    )
    # Another model is another series in the history.
    series = name if path is None else f"{name}:{path.name}"
    return Workload(name=series, phases=(encode, decode), attention=switch)


def encoder(size: SamSize) -> nn.Module:
    """Upstream's image encoder at a size: [batch, 3, side, side] to [batch, prompt width, grid, grid]."""
    made: nn.Module = modeling().ImageEncoderViT(
        img_size=size.image_side,
        patch_size=size.patch_side,
        embed_dim=size.width,
        depth=size.depth,
        num_heads=size.heads,
        out_chans=size.prompt_width,
        norm_layer=partial(nn.LayerNorm, eps=1e-6),
        use_rel_pos=True,
        window_size=size.window,
        global_attn_indexes=size.global_blocks,
    )
    return made


class PromptedDecoder(nn.Module):
    """Upstream's prompt encoder and mask decoder: from an image's embedding and points to mask logits.

    The prompt encoder's table of frequencies stays in FP32 in every variant: upstream multiplies FP32 coordinates with
    it, and phases of many turns mean nothing in BF16.
    """

    def __init__(self, size: SamSize) -> None:
        super().__init__()
        upstream = modeling()
        self.prompt_encoder = upstream.PromptEncoder(
            embed_dim=size.prompt_width,
            image_embedding_size=(size.grid, size.grid),
            input_image_size=(size.image_side, size.image_side),
            mask_in_chans=MASK_PROMPT_WIDTH,
        )
        keep_dtype(self.prompt_encoder.pe_layer)
        self.mask_decoder = upstream.MaskDecoder(
            num_multimask_outputs=MASK_TOKENS - 1,
            transformer=upstream.TwoWayTransformer(
                depth=DECODER_LAYERS,
                embedding_dim=size.prompt_width,
                mlp_dim=size.decoder_mlp_width,
                num_heads=DECODER_HEADS,
            ),
            transformer_dim=size.prompt_width,
            iou_head_depth=3,
            iou_head_hidden_dim=IOU_HEAD_WIDTH,
        )

    def forward(
        self, embeddings: torch.Tensor, points: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Three masks for each prompt of each image; see `decode`."""
        return self.decode(self.mask_decoder, embeddings, points, labels)

    def decode(
        self, mask_decoder: Callable[..., Any], embeddings: torch.Tensor, points: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The same, with the mask decoder given: compiled, or as it is.

        Args:
            mask_decoder: Stands for this module's own.
            embeddings: [batch, channels, grid, grid].
            points: [prompts, points, 2], int64 pixels (x, y), the same prompts for every image.
            labels: [prompts, points], int64: 1 on the object, 0 beside it.

        Returns:
            Mask logits [batch, prompts, 3, 4 * grid, 4 * grid] and the masks' estimated quality [batch, prompts, 3].
        """
        dtype = embeddings.dtype
        masks, qualities = [], []
        for embedding in embeddings.unsqueeze(1):  # [1, channels, grid, grid]
            sparse, dense = self.prompt_encoder(points=(points.to(torch.float32), labels), boxes=None, masks=None)
            mask, quality = mask_decoder(
                image_embeddings=embedding,
                image_pe=self.prompt_encoder.get_dense_pe().to(dtype),
                sparse_prompt_embeddings=sparse.to(dtype),
                dense_prompt_embeddings=dense.to(dtype),
                multimask_output=True,
            )
            masks.append(mask)
            qualities.append(quality)
        return torch.stack(masks), torch.stack(qualities)


def prompted_inputs(size: SamSize) -> Inputs:
    """Seeded embeddings, and points spread over the image: the first of a prompt on its object, the others beside it.

    Points are integers, so that no variant rounds pixel coordinates to BF16.
    """
    generator = torch.Generator().manual_seed(0)
    embeddings = torch.randn(size.batch, size.prompt_width, size.grid, size.grid, generator=generator)  # fp32
    points = torch.randint(0, size.image_side, (size.prompts, size.points, 2), generator=generator)  # int64
    labels = torch.zeros(size.prompts, size.points, dtype=torch.int64)
    labels[:, 0] = 1
    return Inputs(args=(embeddings, points, labels))


def mask_agreement(reference: object, output: object) -> tuple[Score, ...]:
    """``iou``: mean intersection over union of the binarised masks with the reference's: agreement, not accuracy."""
    expected, got = (cast("tuple[torch.Tensor, torch.Tensor]", masks)[0] > 0 for masks in (reference, output))
    both = (expected & got).sum(dim=(-2, -1)).double()
    either = (expected | got).sum(dim=(-2, -1)).double()
    ratios = torch.where(either > 0, both / either.clamp(min=1), torch.ones_like(both))  # two empty masks agree
    return (Score(name="iou", value=ratios.mean().item()),)


def _bind_decode(module: nn.Module, inputs: Inputs, compiler: Compiler) -> Step:
    """Compiles the mask decoder alone: the prompt encoder picks rows by label, which no graph can hold."""
    decoder = cast("PromptedDecoder", module)
    compiled = compiler(decoder.mask_decoder)
    return lambda: decoder.decode(compiled, *inputs.args)


def _build(construct: Callable[[], nn.Module], path: Path | None, key: str, prefix: str) -> nn.Module:
    if path is None:
        return weights.seeded(construct, key=key)
    return weights.checkpoint(construct, path, key_of=lambda name: prefix + name)


def _path(options: Mapping[str, object], option: str) -> Path | None:
    return Path(str(options[option])).expanduser() if option in options else None


def _size(name: str, preset: Preset, options: Mapping[str, object]) -> SamSize:
    size = size_of(name, preset, checkpoint=str(options.get("checkpoint", "")))
    batch = options.get("batch", size.batch)
    if not isinstance(batch, int) or isinstance(batch, bool) or batch < 1:
        raise UsageError(f"batch={batch!r}", where=f"workload {name}", remedy="give a whole number from 1")
    return replace(size, batch=batch)
