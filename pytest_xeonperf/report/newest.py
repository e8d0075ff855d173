"""Which points of a case the first page shows: the newest one's trend, and those of other machines and branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.report.filters import OTHER_MACHINE, branch_of, offered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_xeonperf.report.filters import Filters
    from pytest_xeonperf.store.summaries import TrendPoint

SPARK_POINTS = 40
"""Runs a sparkline looks back."""

ELSEWHERE = 3
"""Other machines and branches on which the page always has the newest result of a case."""

MOST_ELSEWHERE = 12
"""At most so many, of which each is the newest of a machine or branch that the page's filters offer."""


def newest_ones(
    points: Sequence[TrendPoint], machines: Mapping[str, str], filters: Filters
) -> Sequence[Sequence[TrendPoint]]:
    """Of the newest point, and of the newest ones on other machines and branches, what may be compared with it.

    Args:
        points: Of one case, oldest first, at least one.
        machines: How to call a comparability class.
        filters: Of the page.
    """
    ends: dict[tuple[str, str], int] = {}
    for index in reversed(range(len(points))):
        point = points[index]
        ends.setdefault((point.comparability_class, branch_of(point.branch)), index)
    return [
        [point for point in points[: index + 1] if point.comparability_class == wanted][-SPARK_POINTS:]
        for (wanted, _branch), index in _for_filters(ends, machines, filters).items()
    ]


def _for_filters(
    ends: Mapping[tuple[str, str], int], machines: Mapping[str, str], filters: Filters
) -> Mapping[tuple[str, str], int]:
    """The newest machines and branches, and of the others those that alone answer a choice of the page's filters."""
    kept = dict(list(ends.items())[: 1 + ELSEWHERE])
    wanted = {(name, words) for name in ("machine", "branch") for words in offered(filters, name)}

    def answered(of_class: str, branch: str) -> set[tuple[str, str]]:
        return {("machine", machines.get(of_class, OTHER_MACHINE)), ("branch", branch)}

    for pair in kept:
        wanted -= answered(*pair)
    for pair, index in ends.items():
        if len(kept) > MOST_ELSEWHERE:
            break
        if wanted & answered(*pair):
            kept[pair] = index
            wanted -= answered(*pair)
    return kept
