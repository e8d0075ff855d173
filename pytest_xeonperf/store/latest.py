"""What was measured last: of each case the newest point on each class of machine.

To rank every result would read all of them for the few that are wanted. The newest runs of a class have most of its
cases; of a case that some class does not have there, the index of results by case says which runs have it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from pytest_xeonperf.store import from_rows, history, schema
from pytest_xeonperf.store.batches import batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from pytest_xeonperf.records import Case
    from pytest_xeonperf.store.summaries import TrendPoint

    _Found = tuple[Case, list[dict[str, Any]]]
    Newest = dict[tuple[str, str], str]  # by case and class of machine the newest run that has it

_NEWEST_RUNS = 20
"""Of each class, in which cases are looked for first."""


def read_latest(connection: Connection, *, branch: str, case_id: str) -> tuple[tuple[Case, TrendPoint], ...]:
    """Newest points, by case and class of machine; an empty string stands for any branch, or every case."""
    runs = _runs_by_class(connection, branch)
    case_ids = [case_id] if case_id else connection.scalars(select(schema.case.c.id)).all()
    newest = _in_newest_runs(connection, runs, case_id)
    missing = [each for each in case_ids if any((each, of_class) not in newest for of_class in runs)]
    newest |= _anywhere(connection, runs, missing)
    found = dict(_points(connection, newest))
    ordered = [found[pair] for pair in sorted(found)]
    return tuple(
        zip(
            [case for case, _parts in ordered],
            history.made(connection, [parts for _case, parts in ordered]),
            strict=True,
        )
    )


def _runs_by_class(connection: Connection, branch: str) -> Mapping[str, list[str]]:
    """The ids of the runs of each class of machine, newest first."""
    run, machine = schema.run.c, schema.machine.c
    query = (
        select(machine.comparability_class, run.id)
        .join_from(schema.run, schema.machine, machine.fingerprint == run.machine_fingerprint)
        .order_by(run.started_at.desc(), run.id.desc())
    )
    if branch:
        query = query.where(run.branch == branch)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for of_class, run_id in connection.execute(query):
        found[of_class].append(run_id)
    return found


def _in_newest_runs(connection: Connection, runs: Mapping[str, Sequence[str]], case_id: str) -> Newest:
    result = schema.result.c
    found: Newest = {}
    for of_class, run_ids in runs.items():
        some = run_ids[:_NEWEST_RUNS]
        places = {run_id: place for place, run_id in enumerate(some)}
        query = select(result.case_id, result.run_id).where(result.run_id.in_(some))
        if case_id:
            query = query.where(result.case_id == case_id)
        for of_case, run_id in sorted(connection.execute(query), key=lambda row: places[row.run_id]):
            found.setdefault((of_case, of_class), run_id)
    return found


def _anywhere(connection: Connection, runs: Mapping[str, Sequence[str]], case_ids: Iterable[str]) -> Newest:
    places = {run_id: (place, of_class) for of_class, ids in runs.items() for place, run_id in enumerate(ids)}
    found: Newest = {}
    for case_id in case_ids:
        run_ids = connection.scalars(select(schema.result.c.run_id).where(schema.result.c.case_id == case_id))
        for run_id in sorted(places.keys() & set(run_ids), key=places.__getitem__):
            found.setdefault((case_id, places[run_id][1]), run_id)
    return found


def _points(
    connection: Connection, newest: Newest
) -> Iterator[tuple[tuple[str, str], tuple[Case, list[dict[str, Any]]]]]:
    """What there is of each case and class, taken apart; of two results of a case in a run the later counts."""
    result = schema.result.c
    classes = {(case_id, run_id): of_class for (case_id, of_class), run_id in newest.items()}
    by_run: defaultdict[str, list[str]] = defaultdict(list)
    for case_id, run_id in classes:
        by_run[run_id].append(case_id)
    ids: list[int] = []
    for run_id, case_ids in by_run.items():
        last = select(result.case_id, func.max(result.id)).where(result.run_id == run_id).group_by(result.case_id)
        wanted = set(case_ids)
        ids += [found for case_id, found in connection.execute(last) if case_id in wanted]
    names = [column.name for column in schema.case.c]
    for some in batches(ids):
        query = (
            history.points()
            .add_columns(*schema.case.c)
            .join(schema.case, schema.case.c.id == result.case_id)
            .where(result.id.in_(some))
        )
        for row in connection.execute(query).all():
            parts, case = history.parts_of(row), from_rows.case_from(dict(zip(names, row[-len(names) :], strict=True)))
            of_class = classes[case.id, parts[history.RUN]["id"]]
            yield (case.id, of_class), (case, parts)
