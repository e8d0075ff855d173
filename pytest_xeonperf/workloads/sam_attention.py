"""Segment Anything's attention through torch's fused kernel, the relative-position bias as its mask.

Segment Anything Fast gives SDPA the whole bias at once: [batch, heads, 4096, 4096] for a global block, 8 GiB in BF16
at batch 16. Here a global block's bias exists only for one image and a band of queries at a time, which is exact (a
softmax runs over keys, never over queries) and stays near the caches. The windows of a batch, each with a small bias of
its own, are taken as many at a time as a bounded mask holds.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import scaled_dot_product_attention

from pytest_xeonperf.workloads import sam_few_keys
from pytest_xeonperf.workloads.protocol import Attention
from pytest_xeonperf.workloads.sam_fused import fuse, unfuse
from pytest_xeonperf.workloads.segment_anything_modules import modeling

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    RelPos = Callable[[int, int, torch.Tensor], torch.Tensor]

_BAND_QUERIES = 1024
"""Queries that share one mask; at 768 and above the CPU kernel works in its largest tiles."""
_WHOLE_TOKENS = 256
"""Up to here (a window of 14 x 14 has 196) many windows share a call."""
_MASK_BYTES = 64 << 20
"""The largest mask of windows: that of ViT-H's on one image fits, also in FP32; on 16, in BF16, it would be 0.5 GB."""


def switch(module: nn.Module, attention: Attention) -> nn.Module:
    """The same module with every attention of segment-anything computed as asked; other instances are left alone.

    Raises:
        NotApplicableError: `attention` is fused, and a kernel is not to be had, or not made for this model.
    """
    upstream = modeling()
    in_decoder = upstream.transformer.Attention
    fused = attention is Attention.FUSED
    if fused and any(type(part) is in_decoder for part in module.modules()):
        sam_few_keys.load()
    forwards: dict[type, Callable[..., torch.Tensor]] = {
        upstream.image_encoder.Attention: partial(_relative_position_forward, upstream.image_encoder.get_rel_pos),
        in_decoder: _few_keys_forward if fused else _token_forward,
    }
    for part in module.modules():
        forward = forwards.get(type(part))
        if forward is None:
            continue
        part.__dict__.pop("forward", None)  # upstream's own, from its class
        if attention is not Attention.PLAIN:
            part.__dict__["forward"] = partial(forward, part)
    unfuse(module)
    if fused:
        fuse(module)
    return module


def _relative_position_forward(get_rel_pos: RelPos, self: Any, x: torch.Tensor) -> torch.Tensor:
    """``image_encoder.Attention.forward`` with SDPA.

    Args:
        get_rel_pos: Upstream's look-up of a table by relative position.
        self: The upstream module.
        x: [batch or windows, height, width, channels].
    """
    batch, height, width, channels = x.shape
    qkv = self.qkv(x).reshape(batch, height * width, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
    q, k, v = qkv.unbind(0)  # each [batch, heads, height * width, channels of a head]
    if self.use_rel_pos:
        per_row = get_rel_pos(height, height, self.rel_pos_h)  # [height of q, height of k, channels of a head]
        per_column = get_rel_pos(width, width, self.rel_pos_w)
        q_grid = q.unflatten(2, (height, width))
        rows = torch.einsum("bnhwc,hkc->bnhwk", q_grid, per_row).flatten(2, 3)  # [batch, heads, tokens, height of k]
        columns = torch.einsum("bnhwc,wkc->bnhwk", q_grid, per_column).flatten(2, 3)
        out = _attend_with_bias(q, k, v, rows, columns)
    else:
        out = scaled_dot_product_attention(q, k, v)
    return self.proj(out.transpose(1, 2).reshape(batch, height, width, channels))  # type: ignore[no-any-return]


def _attend_with_bias(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
) -> torch.Tensor:
    """[batch, heads, tokens, channels of a head] from queries, keys and values of that shape and the bias's parts."""
    tokens = q.shape[2]
    if tokens <= _WHOLE_TOKENS:
        return _attend_in_windows(q, k, v, rows, columns)
    images = []
    for one in range(q.shape[0]):
        image = slice(one, one + 1)
        bands = []
        for start in range(0, tokens, _BAND_QUERIES):
            band = slice(start, start + _BAND_QUERIES)
            mask = _mask(rows[image, :, band], columns[image, :, band])
            bands.append(scaled_dot_product_attention(q[image, :, band], k[image], v[image], attn_mask=mask))
        images.append(torch.cat(bands, dim=2))
    return torch.cat(images)


def _attend_in_windows(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
) -> torch.Tensor:
    """The same for windows, in as few calls of equal size as keep a mask within `_MASK_BYTES`."""
    windows, heads, tokens, _ = q.shape
    at_once = max(1, _MASK_BYTES // (heads * tokens**2 * q.element_size()))
    calls = -(-windows // at_once)
    if calls == 1:
        return scaled_dot_product_attention(q, k, v, attn_mask=_mask(rows, columns))
    chunks = zip(*(tensor.chunk(calls) for tensor in (q, k, v, rows, columns)), strict=True)
    return torch.cat(
        [
            scaled_dot_product_attention(q_part, k_part, v_part, attn_mask=_mask(row_part, column_part))
            for q_part, k_part, v_part, row_part, column_part in chunks
        ]
    )


def _mask(rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """The bias [batch, heads, queries, keys] from its two parts [batch, heads, queries, height or width of k]."""
    return (rows.unsqueeze(-1) + columns.unsqueeze(-2)).flatten(3)


def _token_forward(self: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """``transformer.Attention.forward`` with SDPA; arguments and result are [batch, tokens, channels]."""
    return _attend_to_tokens(self, self.q_proj(q), self.k_proj(k), self.v_proj(v))


def _few_keys_forward(self: Any, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """The same, with our kernel where there are few keys."""
    q, k, v = self.q_proj(q), self.k_proj(k), self.v_proj(v)
    if not sam_few_keys.takes(q, k, self.num_heads):
        return _attend_to_tokens(self, q, k, v)
    return self.out_proj(sam_few_keys.attend(q, k, v, self.num_heads))  # type: ignore[no-any-return]


def _attend_to_tokens(self: Any, *projected: torch.Tensor) -> torch.Tensor:
    # [batch, heads, tokens, channels of a head]
    q, k, v = (self._separate_heads(tokens, self.num_heads) for tokens in projected)
    return self.out_proj(self._recombine_heads(scaled_dot_product_attention(q, k, v)))  # type: ignore[no-any-return]
