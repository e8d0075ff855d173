"""What the baseline of a case did while the case became slower: which side moved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import log
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_OF_IT = 0.5
_SOME_OF_IT = 0.2


class Part(Enum):
    """How much of a case's change its baseline had too, by the logarithms of the two: a half or more, or a fifth."""

    NONE = "none of it"
    SOME = "some of it"
    MOST = "most of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    """How a baseline moved while its case did.

    Attributes:
        baseline_ratio: Its latency since, over that before: above 1 is slower.
        runs_before: How many runs tell the level before.
        runs_since: How many tell that since.
    """

    baseline_ratio: float
    part: Part
    runs_before: int
    runs_since: int


def meanwhile(before_ns: Sequence[int], since_ns: Sequence[int], *, latency_ratio: float) -> Meanwhile | Unknown:
    """How a baseline moved, by the medians of its latencies on either side of a change.

    Args:
        before_ns: Medians of the runs just before, positive.
        since_ns: Those of the first runs since.
        latency_ratio: Of the case itself, after over before.
    """
    if not before_ns or not since_ns:
        side = "before" if not before_ns else "since"
        return Unknown(reason=f"no run {side} measured its baseline")
    ratio = median(since_ns) / median(before_ns)
    share = log(ratio) / log(latency_ratio) if latency_ratio != 1 else 0.0
    part = Part.MOST if share >= _MOST_OF_IT else Part.SOME if share >= _SOME_OF_IT else Part.NONE
    return Meanwhile(baseline_ratio=ratio, part=part, runs_before=len(before_ns), runs_since=len(since_ns))
