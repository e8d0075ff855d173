"""Where a run comes from: the commits before its own, and the run of the nearest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.ci.git import ancestors
from pytest_xeonperf.records import Commit, Measurement, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


def line_of(head: Run, directory: Path) -> tuple[str, ...] | Unknown:
    """The commits that a run's commit was made from, itself first, or why nobody can tell."""
    if isinstance(head.commit, Unknown):
        return Unknown(reason=f"the commit of run {head.id} is unknown: {head.commit.reason}")
    found = ancestors(directory, head.commit.sha)
    if isinstance(found, Unknown):
        return Unknown(reason=f"nobody knows what came before {head.commit.sha}: {found.reason}")
    return found


def earlier_run(store: Store, head: Run, line: tuple[str, ...] | Unknown) -> str | Unknown:
    """The id of the newest comparable run of the nearest earlier commit that has one: of its machine, a case in common.

    Args:
        store: The history.
        head: Whose past is asked for.
        line: As `line_of` gives it.
    """
    if isinstance(line, Unknown):
        return line
    dirty = isinstance(head.commit, Commit) and head.commit.dirty
    return store.baseline(
        line if dirty else line[1:],
        comparability_class=head.machine.comparability_class,
        case_ids=[result.case.id for result in head.results if isinstance(result.measurement, Measurement)],
    )
