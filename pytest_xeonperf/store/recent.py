"""The newest points of every case, for a page that has them all: as few rows as do."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import select

from pytest_xeonperf.store import schema
from pytest_xeonperf.store.history import newest_runs
from pytest_xeonperf.store.series import read_in_runs, read_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from pytest_xeonperf.store.series import Numbered
    from pytest_xeonperf.store.summaries import RunMark, TrendPoint

_SPARE = 24
"""Runs that are looked at beyond the points that are wanted: some cases are not in every run."""

_MANY = 300
"""Results of a case that are not read all for the newest of them."""

_CLASSES = 4
"""Of machines, those most cases were measured on last, whose points are looked for at once."""


def read_recent(
    connection: Connection, marks: Sequence[RunMark], *, most: int, until: int
) -> dict[str, tuple[TrendPoint, ...]]:
    """By case, its newest points, oldest first: `most` of each class, of others than the newest one's what is recent.

    Most cases are read at once, from the newest runs and from those of the classes that the newest points are of; a
    case of which these do not have enough costs a query.
    """
    size = most + _SPARE
    first = max(0, len(marks) - size)
    found = read_in_runs(connection, marks, range(first, len(marks)), until)
    newest = Counter(points[-1].point.comparability_class for points in found.values())
    windows = {name: _of_class(marks, name)[-size:] for name, _cases in newest.most_common(_CLASSES)}
    older = sorted(place for window in windows.values() for place in window if place < first)
    for case_id, points in read_in_runs(connection, marks, older, until).items():
        found[case_id] = points + found.get(case_id, [])
    totals = Counter(mark.comparability_class for mark in marks)
    places = {mark.run_id: place for place, mark in enumerate(marks)}
    for case_id in connection.scalars(select(schema.case.c.id)).all():
        points = found.get(case_id, [])
        if not _suffices(points, windows, totals, newest=first, most=most):
            found[case_id] = _further_back(connection, case_id, points, marks, places, most=most, until=until)
    return {case_id: _newest_of_each(points, most) for case_id, points in found.items() if points}


def _further_back(
    connection: Connection,
    case_id: str,
    points: Sequence[Numbered],
    marks: Sequence[RunMark],
    places: Mapping[str, int],
    *,
    most: int,
    until: int,
) -> list[Numbered]:
    """The newest points of a case on the class of its newest run, and of those given what is of others."""
    result = schema.result.c
    some = select(result.id).where(result.case_id == case_id, result.id <= until).limit(_MANY)
    if len(connection.scalars(some).all()) < _MANY:  # of few the index of runs would be walked to its end
        return read_points(connection, marks, case_id=case_id, until=until).get(case_id, [])
    (newest,) = newest_runs(connection, case_id, limit=1, until=until)
    name = marks[places[newest]].comparability_class
    alike = newest_runs(connection, case_id, limit=most, comparability_class=name, until=until)
    own = read_in_runs(connection, marks, [places[run_id] for run_id in alike], until, case_id).get(case_id, [])
    others = (numbered for numbered in points if numbered.point.comparability_class != name)
    return sorted((*own, *others), key=lambda numbered: numbered[:2])


def _of_class(marks: Sequence[RunMark], name: str) -> list[int]:
    """Places of the runs of a class of machine."""
    return [place for place, mark in enumerate(marks) if mark.comparability_class == name]


def _suffices(
    points: Sequence[Numbered], windows: dict[str, list[int]], totals: Counter[str], *, newest: int, most: int
) -> bool:
    """Whether the last of the points is the newest one of its case, and those of its class are all that are wanted."""
    if not points or points[-1].place < newest:
        return False
    name = points[-1].point.comparability_class
    window = windows.get(name, [])
    alike = sum(numbered.point.comparability_class == name for numbered in points)
    return len(window) == totals[name] or (bool(window) and alike >= most)


def _newest_of_each(points: Sequence[Numbered], most: int) -> tuple[TrendPoint, ...]:
    """Of each class of machines the newest points, all of them oldest first."""
    left: defaultdict[str, int] = defaultdict(lambda: most)
    kept = []
    for _place, _id, point in reversed(points):
        if left[point.comparability_class] > 0:
            left[point.comparability_class] -= 1
            kept.append(point)
    return tuple(reversed(kept))
