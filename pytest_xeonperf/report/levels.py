"""Where the latency of a case changed its level: what neither noise nor another environment explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.judge.changepoint import within_environments
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_change, show_ns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_xeonperf.store.summaries import TrendPoint


def level_changes(points: Sequence[TrendPoint]) -> Mapping[int, str]:
    """By the index of the first point on a new level: ``latency +5.0 %, from 23.4 ms to 24.6 ms``.

    Args:
        points: Of one comparability class, oldest first; what was not measured is passed over, and so is what other
            tests measured of the case in the same run: copies of a point would pass for an unusually quiet level.
    """
    seen: set[str] = set()
    measured: list[tuple[int, int]] = []
    for index, point in enumerate(points):
        duration_ns = point.candidate_median_ns
        if not isinstance(duration_ns, Unknown) and duration_ns > 0 and point.run_id not in seen:
            seen.add(point.run_id)
            measured.append((index, duration_ns))
    found = within_environments(
        [duration_ns for _index, duration_ns in measured],
        [points[index].fingerprint for index, _duration_ns in measured],
    )
    return {
        measured[change.index][0]: f"latency {show_change(change.ratio)}, from {show_ns(change.before)} to "
        f"{show_ns(change.after)}"
        for change in found
    }
