"""Wakes oneDNN up family by family, as the repair needs it, and reads from its verbose lines what it chose."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from pytest_xeonperf.host.limits import once_ns

if TYPE_CHECKING:
    import torch

LOG_OF_PRIMITIVES = "none,filter=^[^u]"
"""For ``ONEDNN_VERBOSE``: no log until it is asked for, and then none of micro-kernels, the component ``ukernel``.

Kernels of torch and of ours that work in tiles call them a million times a second, and each call would print two lines:
a convolution in bytes then takes almost three times as long, and the profiler shows that.
"""
_EXECUTED = re.compile(r"^onednn_verbose,.*?primitive,exec,cpu,(\w+),([^,]+),", re.MULTILINE)
_SPEED = re.compile(r"^xeonperf_bf16_over_fp32 (\S+)$", re.MULTILINE)
_TOLERANCE = 0.05
_REPEATS = 8


def start_thread_pool() -> None:
    """Start OpenMP's threads, with an operation that does not reach oneDNN.

    CPUID faulting is inherited by threads born inside the repair's window, so they are born before it.
    """
    import torch

    torch.ones(1 << 22).mul_(2.0)  # [4 Mi] fp32: far beyond the grain size, so every thread gets a part


def initialise(rows: int = 256) -> None:
    """Run one operation of each primitive family in BF16 and INT8: oneDNN reads the palette once per family.

    Args:
        rows: Size of the operands; another size makes oneDNN generate its kernels anew.

    Raises:
        ArithmeticError: An operation ran and its result is wrong.
    """
    import torch
    from torch.nn import functional

    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    with torch.no_grad():
        left, right = noise(rows, 512), noise(512, rows)  # [M, K] x [K, N]
        _compare("matmul", left.bfloat16() @ right.bfloat16(), left @ right)
        image, filters = noise(1, 64, rows // 8, rows // 8), noise(64, 64, 3, 3)  # [B, C, H, W], [O, C, 3, 3]
        reference = functional.conv2d(image, filters, padding=1)
        _compare("conv2d", functional.conv2d(image.bfloat16(), filters.bfloat16(), padding=1), reference)
        heads = noise(1, 4, 4 * rows, 64)  # [B, H, S, D]; long enough for SDPA's AMX path
        reference = functional.scaled_dot_product_attention(heads, heads, heads)
        half = heads.bfloat16()
        _compare("sdpa", functional.scaled_dot_product_attention(half, half, half), reference)
        bytes_left = left.mul(20).clamp(-127, 127).to(torch.int8)
        bytes_right = right.mul(20).clamp(-127, 127).to(torch.int8)
        _compare("int8 matmul", torch._int_mm(bytes_left, bytes_right), bytes_left.float() @ bytes_right.float())  # noqa: SLF001 - the only eager INT8 GEMM


def bf16_over_fp32(size: int = 1024) -> float:
    """How much faster a product of matrices is in BF16 than in FP32, the best of some calls of each in turn.

    Without AMX, Intel's later Xeons multiply BF16 at half the speed of FP32, AMD's processors at twice.
    """
    import torch

    left, right = torch.rand(size, size), torch.rand(size, size)  # [N, N] fp32
    in_fp32, in_bf16 = partial(torch.mm, left, right), partial(torch.mm, left.bfloat16(), right.bfloat16())
    with torch.no_grad():
        in_fp32(), in_bf16()  # generate code
        times_ns = [(once_ns(in_fp32), once_ns(in_bf16)) for _ in range(_REPEATS)]
    return min(fp32_ns for fp32_ns, _ in times_ns) / min(bf16_ns for _, bf16_ns in times_ns)


def speed_line() -> str:
    """A line that says `bf16_over_fp32`."""
    return f"\nxeonperf_bf16_over_fp32 {bf16_over_fp32():.3f}\n"


def parse_speed(output: str) -> float:
    """What `speed_line` said in an output; 0 if it is not there."""
    said = _SPEED.search(output)
    return float(said[1]) if said else 0.0


def parse_kernels(verbose: str) -> tuple[str, ...]:
    """Distinct ``primitive:implementation`` pairs from the output under ``ONEDNN_VERBOSE=1``, reorders left out."""
    found = (f"{primitive}:{kernel}" for primitive, kernel in _EXECUTED.findall(verbose) if primitive != "reorder")
    return tuple(dict.fromkeys(found))


def parse_isa(verbose: str) -> str:
    """The instruction set that oneDNN says it uses; empty if it does not say."""
    said = re.search(r"^onednn_verbose,.*?info,cpu,isa:(.*)$", verbose, re.MULTILINE)
    return said[1].strip() if said else ""


def _compare(what: str, result: torch.Tensor, reference: torch.Tensor) -> None:
    error = ((result.float() - reference).norm() / reference.norm()).item()
    if not error < _TOLERANCE:  # also true of NaN
        raise ArithmeticError(f"{what} came out wrong by {error:.1%}")
