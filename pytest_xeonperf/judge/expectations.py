"""What a test promises about a variant, as its markers say it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isfinite

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Isa, Metric, Unknown

LOWER_IS_BETTER = frozenset({"kl"})
"""Fidelity figures for which `min_fidelity` sets a ceiling: divergences."""

FIDELITY_NAMES = ("cosine", "psnr_db", "top1", "kl", "iou")
DEFAULT_FIDELITY = (("cosine", 0.99),)
"""What a test promises that says nothing: fast and wrong is a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """``min_speedup`` or ``max_speedup``: a ratio of baseline to candidate, where an instruction set is usable."""

    ratio: float
    over: str = "eager_fp32"
    metric: Metric = Metric.LATENCY
    isa: Isa = Isa.GENERIC

    def __post_init__(self) -> None:
        if not (isfinite(self.ratio) and self.ratio > 0):
            raise UsageError(f"{self.ratio!r} is not a positive number", remedy="give a ratio like 3.8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promises:
    """Everything one test promises, over one baseline.

    Attributes:
        floors: Least speed-ups, one for each instruction set; the most capable usable one applies.
        ceilings: Largest ones, in the same way: above, the baseline is slower than it should be.
        fidelity: (name, bound) pairs.
        max_latency_ns: For one item of work; infinite if none is promised.
        max_memory_bytes: Peak RSS of a fresh process holding only the variant; infinite if none is promised.
        kernels: Names of operators or of oneDNN's kernels that must have run; parts of names match, and ``*`` as in a
            shell.
        min_roofline: Share of the binding limit that must be reached.
    """

    floors: tuple[Threshold, ...] = ()
    ceilings: tuple[Threshold, ...] = ()
    fidelity: tuple[tuple[str, float], ...] = DEFAULT_FIDELITY
    max_latency_ns: float = inf
    max_memory_bytes: float = inf
    max_graph_breaks: float = inf
    max_recompiles: float = 0
    kernels: tuple[str, ...] = field(default=())
    min_roofline: float = 0.0

    @property
    def timed(self) -> int:
        """How many of them are decided by times, each with a chance of error."""
        return sum((bool(self.floors), bool(self.ceilings), self.max_latency_ns != inf, self.min_roofline > 0))

    def __post_init__(self) -> None:
        for name, bound in self.fidelity:
            if name not in FIDELITY_NAMES:
                raise UsageError(
                    f"unknown figure {name!r}", where="marker min_fidelity", remedy=f"use: {', '.join(FIDELITY_NAMES)}"
                )
            if not isfinite(bound):
                raise UsageError(f"{name}={bound!r} is not a number", where="marker min_fidelity")


def threshold_here(given: tuple[Threshold, ...], isa: Isa) -> Threshold | Unknown:
    """The floor or ceiling that applies on a machine where `isa` is the most capable usable instruction set."""
    usable = [threshold for threshold in given if threshold.isa.rank <= isa.rank]
    if usable:
        return max(usable, key=lambda threshold: threshold.isa.rank)
    if not given:
        return Unknown(reason="no floor given")
    isas = ", ".join(threshold.isa for threshold in given)
    return Unknown(reason=f"promised for {isas}; usable here is {isa}")
