"""Where the latency of a case changed its level: what neither noise nor another environment explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.judge.changepoint import change_points
from pytest_xeonperf.units import show_change, show_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def level_changes(durations_ns: Sequence[float]) -> Mapping[int, str]:
    """By the index of the first one on a new level: ``latency +5.0 %, from 23.4 ms to 24.6 ms``.

    Args:
        durations_ns: What was measured in one environment, oldest first, all of it positive.
    """
    return {
        change.index: f"latency {show_change(change.ratio)}, from {show_ns(change.before)} to {show_ns(change.after)}"
        for change in change_points(durations_ns)
    }
