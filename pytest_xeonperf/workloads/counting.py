"""Parameters and floating-point operations of layers, by arithmetic: torch-free, for footprints.

A multiplication and an addition are two operations, as in ``torch.utils.flop_counter``; only matrix products and
convolutions are counted, the rest is below the accuracy this is used with.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a layer holds and does."""

    parameters: int = 0
    flop: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(parameters=self.parameters + other.parameters, flop=self.flop + other.flop)

    def __mul__(self, layers: int) -> Work:
        return Work(parameters=self.parameters * layers, flop=self.flop * layers)

    def called(self, times: int) -> Work:
        """The same weights used that many times."""
        return Work(parameters=self.parameters, flop=self.flop * times)


NOTHING = Work()
"""Where a sum starts."""


def linear(inputs: int, outputs: int, *, rows: int, bias: bool = True) -> Work:
    """A linear layer on `rows` vectors."""
    return Work(parameters=inputs * outputs + (outputs if bias else 0), flop=2 * rows * inputs * outputs)


def conv(inputs: int, outputs: int, *, kernel: int, pixels: int, bias: bool = True) -> Work:
    """A square convolution that makes `pixels` output pixels."""
    return linear(inputs * kernel * kernel, outputs, rows=pixels, bias=bias)


def upsampling_conv(inputs: int, outputs: int, *, kernel: int, pixels: int) -> Work:
    """A transposed convolution whose stride is its kernel, on `pixels` input pixels."""
    taps = kernel * kernel
    return Work(parameters=inputs * outputs * taps + outputs, flop=2 * pixels * inputs * outputs * taps)


def norm(channels: int) -> Work:
    """A layer or group norm with scale and shift."""
    return Work(parameters=2 * channels)


def attend(channels: int, *, queries: int, keys: int) -> Work:
    """Scores and weighted sum of all heads together; `channels` is heads times the channels of one."""
    return Work(flop=4 * queries * keys * channels)
