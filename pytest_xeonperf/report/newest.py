"""Which points of a case the first page shows: the newest one's trend, and those of other machines and branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.report.filters import OTHER_MACHINE, branch_of, offered

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.report.filters import Filters
    from pytest_xeonperf.store.summaries import TrendPoint

SPARK_POINTS = 40
"""Runs a sparkline looks back."""

ELSEWHERE = 3
"""Other machines and branches on which the page has the newest result of a case, where there is room for all."""

MOST_ELSEWHERE = 12
"""At most so many, of which each is the newest of a machine or branch that the page's filters offer."""

_ON_A_PAGE = 900
"""Results of all cases together: a page stays below 2 MB also where every run is of a branch of its own."""


def most_elsewhere(cases: int) -> int:
    """Other machines and branches of each of so many cases that a page has room for."""
    return max(0, min(MOST_ELSEWHERE, _ON_A_PAGE // max(cases, 1) - 1))


def newest_ones(
    points: Sequence[TrendPoint], machines: Mapping[str, str], filters: Filters, *, most: int = MOST_ELSEWHERE
) -> Sequence[Sequence[TrendPoint]]:
    """Of the newest point, and of the newest ones on other machines and branches, what may be compared with it.

    Args:
        points: Of one case, oldest first, at least one.
        machines: How to call a comparability class.
        filters: Of the page.
        most: Other machines and branches there is room for.
    """
    ends: dict[tuple[str, str], int] = {}
    for index in reversed(range(len(points))):
        point = points[index]
        ends.setdefault((point.comparability_class, branch_of(point.branch)), index)
    return [
        [point for point in points[: index + 1] if point.comparability_class == wanted][-SPARK_POINTS:]
        for (wanted, _branch), index in _for_filters(ends, machines, filters, most)
    ]


def _for_filters(
    ends: Mapping[tuple[str, str], int], machines: Mapping[str, str], filters: Filters, most: int
) -> Sequence[tuple[tuple[str, str], int]]:
    """The newest one, that of each machine which the page's filters offer, the next newest, and that of each branch.

    Where there is not room for all, those go first: a page has few machines and may have a branch for every run.
    """
    machine_of = {pair: machines.get(pair[0], OTHER_MACHINE) for pair in ends}
    branch_in = {pair: pair[1] for pair in ends}
    newest = list(ends)[: 1 + ELSEWHERE]
    wanted = dict.fromkeys(
        (
            newest[0],
            *_newest_of_each(machine_of, offered(filters, "machine")),
            *newest,
            *_newest_of_each(branch_in, offered(filters, "branch")),
        )
    )
    kept = set(list(wanted)[: 1 + most])
    return [(pair, index) for pair, index in ends.items() if pair in kept]


def _newest_of_each(answers: Mapping[tuple[str, str], str], choices: Collection[str]) -> Sequence[tuple[str, str]]:
    """By their answers, newest first, the newest one for each of these choices."""
    first = {answer: pair for pair, answer in reversed(list(answers.items())) if answer in choices}
    return sorted(first.values(), key=list(answers).index)
