"""How a person names a run: its id, a commit, a branch, ``latest``, or one of these and ``~N`` for N runs earlier."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.store import schema

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

LATEST = "latest"
_SHORTEST_PREFIX = 4
_SHOWN = 5


def find_run(connection: Connection, revision: str) -> str:
    """The id of the run that a revision means: the newest one, where several fit a commit or a branch.

    Read in this order: ``latest``, a whole run id, a branch, the beginning of a sha, the beginning of a run id.

    Raises:
        UsageError: Nothing fits, or a beginning fits several commits or runs; says what there is.
    """
    name, back = _split(revision)
    condition = _meaning(connection, name)
    query = _newest_first().where(condition).offset(back).limit(1)
    found: str | None = connection.scalar(query)
    if found is None:
        fitting = connection.scalar(select(func.count()).select_from(schema.run).where(condition))
        raise UsageError(
            f"{revision!r} reaches back further than the {fitting} run(s) of {name!r}" if fitting else _nothing(name),
            remedy=_what_there_is(connection),
        )
    return found


def _split(revision: str) -> tuple[str, int]:
    """``main~2`` is ("main", 2); git forbids ~ in the names of branches, so nothing is lost."""
    match = re.fullmatch(r"(?P<name>[^~]+)(?:~(?P<back>\d{0,6}))?", revision)
    if match is None:
        raise UsageError(f"{revision!r} is no revision", remedy="say latest, latest~1, a branch, a sha or a run id")
    back = match["back"]
    return match["name"], 0 if back is None else int(back or 1)


def _meaning(connection: Connection, name: str) -> ColumnElement[bool]:
    """The condition on `run` that a name stands for; one that nothing meets where it stands for nothing."""
    run = schema.run.c
    if name == LATEST:
        return run.id == run.id
    for exact in (run.id == name, run.branch == name):
        if connection.scalar(select(run.id).where(exact).limit(1)) is not None:
            return exact
    if len(name) >= _SHORTEST_PREFIX:
        for column in (run.commit_sha, run.id):
            beginning = column.startswith(name.lower(), autoescape=True)
            fitting = connection.scalars(select(column).where(beginning).distinct().limit(_SHOWN)).all()
            if len(fitting) > 1:
                raise UsageError(f"{name!r} may mean {', '.join(fitting)}", remedy="give more of it")
            if fitting:
                return beginning
    return run.id == name


def _newest_first() -> Select[Any]:
    return select(schema.run.c.id).order_by(schema.run.c.started_at.desc(), schema.run.c.id.desc())


def _nothing(name: str) -> str:
    return "there is no run yet" if name == LATEST else f"no run, commit or branch {name!r} in this history"


def _what_there_is(connection: Connection) -> str:
    """The newest runs and branches, as advice."""
    run = schema.run.c
    runs = connection.scalars(_newest_first().limit(_SHOWN)).all()
    if not runs:
        return "run `pytest --xeonperf suites/` first"
    newest = func.max(run.started_at)
    by_branch = select(run.branch).where(run.branch.is_not(None)).group_by(run.branch).order_by(newest.desc())
    branches = connection.scalars(by_branch.limit(_SHOWN)).all()
    offered = [f"newest runs: {', '.join(runs)}"]
    offered += [f"branches: {', '.join(branches)}"] if branches else []
    return f"there are {'; '.join(offered)}; or say latest, latest~1, a sha"
