"""Ceilings of a latency and least shares of a limit, decided call by call.

Each timed call of a variant is on one side of the ceiling, and the signs are judged as those of pairs are: see
`betting`, or `processes` where there are several. What is different is what the rates rest on. In a pair the random
order makes the signs fair coins whatever the machine does; here there is no partner, and they are if calls scatter
around the variant's own median independently of each other. A machine that is slow for minutes makes a whole series
slow: that a red verdict has to be seen by a fresh process too is what stands against it.
"""

from __future__ import annotations

from itertools import groupby
from math import log
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.processes import decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.betting import Decision
    from pytest_xeonperf.judge.verdict import Levels
    from pytest_xeonperf.records import Sample


def decide_ceiling(samples: Sequence[Sample], limit_ns: float, rates: Levels) -> Decision:
    """Whether a variant is within a ceiling (above it in speed), over it, or still open.

    Args:
        samples: In the order of measurement.
        limit_ns: For one call.
        rates: Chances of error.

    Raises:
        DataError: A duration is not positive: the clock is at fault.
    """
    groups = [
        tuple(log(limit_ns / _positive(sample.candidate_ns)) for sample in some)
        for _, some in groupby(samples, key=lambda sample: sample.process)
    ]
    return decide(groups, 1.0, pass_alpha=rates.pass_alpha, red_alpha=rates.red_alpha)


def _positive(duration_ns: int) -> int:
    if duration_ns <= 0:
        raise DataError(f"a call took {duration_ns} ns", remedy="look for a clock that went backwards")
    return duration_ns
