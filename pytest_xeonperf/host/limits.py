"""What this machine can do at best, measured in the session that uses it: bandwidth and GEMM peaks.

Each figure is the fastest of several repeats: a limit is what can be reached, and whatever disturbs makes it look
lower. Kernels are those that models reach, plain and with prepacked weights, the better of the two; one that this
processor or this torch does not have is passed over.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_xeonperf.host.precision import highest_fp32_precision
from pytest_xeonperf.host.system import read_system
from pytest_xeonperf.records import Limits, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

_REPEATS = 5
_REPEATS_NS = 400_000_000
"""Repeats end here even if there were fewer of them; two are always made."""
_ENOUGH_NS = 30_000_000
"""A GEMM that takes this long is large enough: what is not the GEMM has drowned."""
_SIZES = (1024, 2048, 4096, 8192)
_STREAM_BYTES = 256 << 20
_CACHE_MULTIPLE = 4
_REFUSALS = (RuntimeError, AttributeError)
"""What torch raises for a kernel that this processor cannot run, and for an operator that it was built without."""


def measure_limits() -> Limits | Unknown:
    """Read bandwidth and the GEMM peaks in FP32, BF16 and INT8, with the threads torch has now; about three seconds.

    Unknown where one of the three has no kernel that runs here: nothing could be held against half of the limits.

    BF16 and INT8 are what oneDNN reaches under the remedy in force: with the cap, Inductor's own AMX micro-kernels can
    be faster than this limit.
    """
    import torch

    size_bytes = stream_bytes(last_level_cache_bytes(), read_system(frozenset()).available_bytes)
    with torch.no_grad(), highest_fp32_precision():
        peaks: dict[str, float] = {}
        for dtype, calls in (("FP32", _fp32_calls), ("BF16", _bf16_calls), ("INT8", _int8_calls)):
            peak = _peak(calls)
            if isinstance(peak, Unknown):
                return Unknown(reason=f"no {dtype} GEMM runs here: {peak.reason}")
            peaks[dtype] = peak
        return Limits(
            read_bytes_per_s=_read_bandwidth(size_bytes),
            fp32_flop_per_s=peaks["FP32"],
            bf16_flop_per_s=peaks["BF16"],
            int8_op_per_s=peaks["INT8"],
        )


def stream_bytes(cache_bytes: int, available_bytes: int) -> int:
    """Bytes to stream: several times the last-level cache, but never more than an eighth of what is free."""
    wanted = max(_STREAM_BYTES, _CACHE_MULTIPLE * cache_bytes)
    return max(1 << 20, min(wanted, available_bytes // 8))


def _read_bandwidth(size_bytes: int) -> float:
    import torch

    stream = torch.ones(size_bytes // 4)  # [N] fp32, written once so that every page is there
    return size_bytes / (_fastest_ns(lambda: torch.sum(stream)) / 1e9)


def _peak(calls: Callable[[int], tuple[Callable[[], object], ...]]) -> float | Unknown:
    """Operations a second of the fastest kernel that runs, up to the first size that takes long enough."""
    best = 0.0
    for size in _SIZES:
        fastest_ns = _fastest_of(calls(size))
        if isinstance(fastest_ns, Unknown):
            return best or fastest_ns
        best = max(best, 2 * size**3 / (fastest_ns / 1e9))
        if fastest_ns > _ENOUGH_NS:
            break
    return best


def _fastest_of(calls: tuple[Callable[[], object], ...]) -> int | Unknown:
    """The time of the fastest call, or what the last one said if none of them can run."""
    times_ns, refusal = [], ""
    for call in calls:
        try:
            times_ns.append(_fastest_ns(call))
        except _REFUSALS as error:
            refusal = str(error).partition("\n")[0]
    return min(times_ns) if times_ns else Unknown(reason=refusal)


def _fp32_calls(size: int) -> tuple[Callable[[], object], ...]:
    import torch

    left, right = torch.rand(size, size), torch.rand(size, size)  # [N, N] fp32
    out = torch.empty(size, size)
    return (lambda: torch.mm(left, right, out=out),)


def _bf16_calls(size: int) -> tuple[Callable[[], object], ...]:
    import torch

    left, right = torch.rand(size, size).bfloat16(), torch.rand(size, size).bfloat16()  # [N, N] bf16
    out = torch.empty(size, size, dtype=torch.bfloat16)
    plain = lambda: torch.mm(left, right, out=out)  # noqa: E731
    return (plain, _packed(left, right))


def _packed(left: torch.Tensor, weight: torch.Tensor) -> Callable[[], object]:
    """The linear that frozen graphs use, its weight packed at the first call: without AVX-512 packing raises."""
    import torch

    packed = cache(lambda: torch.ops.mkldnn._reorder_linear_weight(weight, left.shape[0]))  # noqa: SLF001
    return lambda: torch.ops.mkldnn._linear_pointwise(left, packed(), None, "none", [], "")  # noqa: SLF001


def _int8_calls(size: int) -> tuple[Callable[[], object], ...]:
    import torch

    left = torch.randint(-128, 128, (size, size), dtype=torch.int8)  # [N, N] int8
    return (lambda: torch._int_mm(left, left),)  # noqa: SLF001


def _fastest_ns(call: Callable[[], object]) -> int:
    call()  # packs, generates code
    times_ns = [once_ns(call), once_ns(call)]
    while len(times_ns) < _REPEATS and sum(times_ns) < _REPEATS_NS:
        times_ns.append(once_ns(call))
    return min(times_ns)


def once_ns(call: Callable[[], object]) -> int:
    """How long one call takes."""
    start_ns = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start_ns


def last_level_cache_bytes() -> int:
    """Of the first CPU: one socket's, which its cores share."""
    sizes = []
    for path in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = path.read_text(encoding="ascii").strip()
        if text.endswith("K") and text[:-1].isdigit():
            sizes.append(int(text[:-1]) << 10)
    return max(sizes, default=0)
