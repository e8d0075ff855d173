"""W8A8 convolutions through a kernel of our own: int8 weights, and images quantised as they come, a pixel at a time.

Weights are quantised as `woq_int8` does, with one scale for each output channel. The kernel (``dynamic_conv.cpp``)
brings the channels of each pixel to bytes with a step of their own, as `dynamic_int8` does with rows: a bright pixel
does not coarsen the others, and nothing is calibrated. Images lie with the channels of a pixel side by side.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import nn

from pytest_xeonperf.variants.dynamic_int8 import load_kernel, pack
from pytest_xeonperf.variants.weight_only import QuantisedWeight, more_than, replace_or_list
from pytest_xeonperf.variants.woq_int8 import Int8

_SOURCE = Path(__file__).with_name("dynamic_conv.cpp")
_FEWEST = 64
"""Channels on either side: blocks of the kernel are as wide, and what a model takes and gives stays exact."""
_DIMENSIONS = 4
_MOST = 1 << 17
"""Input channels whose products, of 127 and 127 at most, an int32 holds."""


class DynamicConv2d(nn.Module):
    """A two-dimensional convolution with int8 weights that quantises what it is given, in FP32 or BF16.

    Args:
        layer: What it stands for, with weights [N, C, KH, KW] of any floating-point dtype.

    Raises:
        NotApplicableError: The processor lacks AVX512_VNNI, or there is no compiler.
    """

    packed: torch.Tensor
    scales: torch.Tensor
    sums: torch.Tensor
    bias: torch.Tensor | None

    def __init__(self, layer: nn.Conv2d) -> None:
        load_kernel("dynamic_conv", _SOURCE, _shape_of_result, "convolutions='dynamic'")
        super().__init__()
        self.in_channels, self.out_channels, self.kernel_size = layer.in_channels, layer.out_channels, layer.kernel_size
        self.stride, self.padding, self.dilation = layer.stride, layer.padding, layer.dilation
        self.groups, self.padding_mode = layer.groups, layer.padding_mode
        parts = Int8().quantise(layer.weight.detach().flatten(1))
        taps = parts["weight"].view_as(layer.weight).flatten(2).unbind(2)  # each int8 [N, C]
        blocks = torch.stack([pack(tap) for tap in taps], dim=1)  # int8 [N / 64, taps, C / 4, 64 * 4]
        self.register_buffer("packed", blocks.flatten(1, 2))  # of three dimensions: channels last is for those of four
        self.register_buffer("scales", parts["scales"].to(layer.weight.dtype))
        self.register_buffer("sums", blocks.view(*blocks.shape[:3], -1, 4).sum(dim=(2, 4), dtype=torch.int32))
        self.register_buffer("bias", None if layer.bias is None else layer.bias.detach().clone())

    @property
    def weight(self) -> QuantisedWeight:
        """What stands for the weight."""
        shape = (self.out_channels, self.in_channels, *self.kernel_size)
        return QuantisedWeight(shape=shape, dtype=self.scales.dtype, device=torch.device("cpu"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The convolution [B, N, OH, OW] of images [B, C, H, W], both in the dtype of the scales, channels last.

        One image [C, H, W] gives one [N, OH, OW].
        """
        images = (x if x.dim() == _DIMENSIONS else x[None]).contiguous(memory_format=torch.channels_last)
        sizes = list(self.kernel_size), list(self.stride), list(self.padding), list(self.dilation)
        convolved: torch.Tensor = torch.ops.xeonperf.dynamic_conv(
            images, self.packed, self.scales, self.sums, self.bias, *sizes
        )
        return convolved if x.dim() == _DIMENSIONS else convolved[0]

    def extra_repr(self) -> str:
        """Widths and places, for printing the model."""
        sizes = f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        return f"{self.in_channels}, {self.out_channels}, {sizes}, bias={self.bias is not None}"


def quantise_convolutions(module: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    """The module with each convolution quantised, and those left as they are, each by name with the reason.

    Args:
        module: Changed in place, unless it is a convolution itself.

    Raises:
        NotApplicableError: No convolution could be quantised.
    """

    def replace(_name: str, layer: nn.Module, _parent: nn.Module) -> nn.Module | str:
        convolution = cast("nn.Conv2d", layer)
        return _refusal(convolution) or DynamicConv2d(convolution)

    return replace_or_list(
        module,
        replace,
        kinds=(nn.Conv2d,),
        none="no convolution that can be quantised",
        remedy="leave out convolutions='dynamic'",
    )


def _refusal(layer: nn.Conv2d) -> str:
    """Why the kernel cannot take a convolution, or need not; empty where it can."""
    channels = (layer.in_channels, layer.out_channels)
    more = more_than(nn.Conv2d, layer)
    if more:
        return more
    if layer.groups > 1:
        return f"{layer.groups} groups"
    if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
        return f"padding {layer.padding!r} in mode {layer.padding_mode!r}, not a number of zeros"
    if min(channels) < _FEWEST:
        return f"{channels[0]} channels to {channels[1]}, where bytes gain nothing below {_FEWEST}"
    return f"C={channels[0]} is above {_MOST}, where sums may overflow" if channels[0] > _MOST else ""


def _shape_of_result(  # noqa: PLR0917 - the operator's
    x: torch.Tensor,
    _packed: torch.Tensor,
    scales: torch.Tensor,
    _sums: torch.Tensor,
    _bias: torch.Tensor | None,
    kernel: list[int],
    stride: list[int],
    padding: list[int],
    dilation: list[int],
) -> torch.Tensor:
    places = [
        (size + 2 * around - apart * (taps - 1) - 1) // step + 1
        for size, taps, step, around, apart in zip(x.shape[2:], kernel, stride, padding, dilation, strict=True)
    ]
    return x.new_empty((x.shape[0], scales.shape[0], *places)).to(memory_format=torch.channels_last)
