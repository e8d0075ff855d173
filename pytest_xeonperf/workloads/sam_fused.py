"""Segment Anything's encoder blocks around an attention kernel of our own: no mask, no windows cut out and put back.

The kernel (``sam_attention.cpp``) makes the relative-position bias where it is used, and reads windows where they lie
in the image. A block is then two norms, four linear layers and one operator; the projections of windowed blocks also
work on 4,096 tokens instead of the 4,900 that upstream's padding makes of them.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.extension import load_operator
from pytest_xeonperf.records import Isa
from pytest_xeonperf.workloads.arithmetic import products_of, widens
from pytest_xeonperf.workloads.segment_anything_modules import modeling

if TYPE_CHECKING:
    from torch import nn

_SOURCE = Path(__file__).with_name("sam_attention.cpp")
_WIDTH_MULTIPLE = 16


def fuse(module: nn.Module) -> None:
    """Let every encoder block of a module attend through the kernel; in place, undone by `unfuse`.

    Raises:
        NotApplicableError: The processor lacks AVX-512, there is no compiler, or a head's width is none of the
            kernel's.
    """
    blocks = _blocks(module)
    for block in blocks:
        width = block.attn.qkv.in_features // block.attn.num_heads
        if width % _WIDTH_MULTIPLE or not block.attn.use_rel_pos:
            raise NotApplicableError(
                f"heads of {width} channels, relative positions {block.attn.use_rel_pos}: the kernel is for multiples "
                f"of {_WIDTH_MULTIPLE} with relative positions",
                where=type(module).__name__,
                remedy="use attention='sdpa'",
            )
    if blocks:
        for name in ("rel_pos_attention", "rel_pos_attention_int8"):
            load_operator(name, _SOURCE, _shape_of_result, Isa.AVX512)
    for block in blocks:
        block.__dict__["forward"] = partial(_block_forward, block)


def unfuse(module: nn.Module) -> None:
    """Give every encoder block upstream's own forward back."""
    for block in _blocks(module):
        block.__dict__.pop("forward", None)


def _blocks(module: nn.Module) -> list[Any]:
    upstream = modeling().image_encoder.Block
    return [part for part in module.modules() if type(part) is upstream]


def _block_forward(self: Any, x: torch.Tensor) -> torch.Tensor:
    """``image_encoder.Block.forward``: x and the result are [batch, height, width, channels]."""
    # Tokens in a row from here on: what has four axes and reaches a convolution some day, Inductor takes for an image
    # with its channels first. It would lay the channels of a token out far apart, for every norm to gather.
    batch, height, width, channels = x.shape
    tokens = x.flatten(1, 2)  # [batch, height * width, channels]
    attention = self.attn
    projected = attention.qkv(self.norm1(tokens)).view(batch, height, width, -1)
    bias = attention.qkv.bias if attention.qkv.bias is not None else projected.new_zeros(projected.shape[-1])
    region_h, region_w = (self.window_size,) * 2 if self.window_size else (height, width)
    given = (
        projected.contiguous(),
        bias,
        _table(attention.rel_pos_h, region_h),
        _table(attention.rel_pos_w, region_w),
        attention.num_heads,
        self.window_size,
        attention.scale,
    )
    if products_of(projected.dtype) is torch.int8:
        attended = torch.ops.xeonperf.rel_pos_attention_int8(*given)
    else:
        attended = torch.ops.xeonperf.rel_pos_attention(*given, widens())
    tokens = tokens + attention.proj(attended.flatten(1, 2))
    return (tokens + self.mlp(self.norm2(tokens))).view(batch, height, width, channels)  # type: ignore[no-any-return]


def _table(table: torch.Tensor, size: int) -> torch.Tensor:
    """[2 * size - 1, channels of a head]: the table, interpolated as upstream does where it is of another size."""
    rows = 2 * size - 1
    if table.shape[0] == rows:
        return table
    resized = functional.interpolate(table.T[None], size=rows, mode="linear")  # [1, channels, rows]
    return resized[0].T.contiguous()


def _shape_of_result(projected: torch.Tensor, *_rest: object) -> torch.Tensor:
    return projected.new_empty((*projected.shape[:3], projected.shape[3] // 3))
