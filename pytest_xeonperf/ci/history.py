"""Where a run comes from: the commits before its own, and the run of the nearest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.ci.git import ancestors, sha_of
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
        case_ids=_measured_in(head),
    )


def released_run(store: Store, head: Run, release: str, directory: Path) -> str | Unknown:
    """The id of the newest run of a release on the machine of a run, with a case in common, or why there is none.

    Args:
        store: The history.
        head: Which is compared with it.
        release: A tag, a branch or a commit of the repository in `directory`, else any revision of the history.
        directory: Where the repository is.

    Raises:
        UsageError: It means nothing, or several runs.
    """
    sha = sha_of(directory, release)
    if isinstance(sha, Unknown):  # a clone without its history: the commit of a run of that name will do
        commit = store.run(store.resolve(release)).commit
        if isinstance(commit, Unknown):
            return commit
        sha = commit.sha
    return store.baseline((sha,), comparability_class=head.machine.comparability_class, case_ids=_measured_in(head))


def _measured_in(run: Run) -> list[str]:
    """Ids of the cases that have a speed-up."""
    return [result.case.id for result in run.results if isinstance(result.measurement, Measurement)]
