"""A run beside its past: the run of the nearest earlier commit, and what the history knows of each case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.ci.git import ancestors, sha_of
from pytest_xeonperf.judge.runs import Past, RunComparison, Session, compare_runs
from pytest_xeonperf.records import Acceptance, Commit, Measurement, Outcome, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.records import Case, Run
    from pytest_xeonperf.store.repository import Store
    from pytest_xeonperf.store.summaries import TrendPoint

_SESSIONS = 50


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
    if isinstance(sha, Unknown):
        return store.resolve(release)
    return store.baseline((sha,), comparability_class=head.machine.comparability_class, case_ids=_measured_in(head))


def compared(
    store: Store, base: Run, head: Run, *, line: tuple[str, ...] | Unknown, tolerance: float, alpha: float
) -> RunComparison:
    """Two runs, with what the history knows of their cases; see `compare_runs`.

    Args:
        store: The history.
        base: What is compared with.
        head: What is judged.
        line: As `line_of` gives it: only what was accepted on it counts. Where nobody knows it, the branch decides.
        tolerance: As for `compare_runs`.
        alpha: As for `compare_runs`.
    """
    accepted = _accepted_since(store, base, head, line)

    def past(case: Case) -> Past:
        points = store.trend(
            case.id,
            comparability_class=head.machine.comparability_class,
            limit=_SESSIONS,
            before=head.started_at,
        )
        one_a_run = {point.run_id: point for point in points}  # two tests may hold the same case
        return Past(
            sessions=tuple(map(_session, one_a_run.values())),
            accepted=accepted.get(case.id, _NOTHING_ACCEPTED),
        )

    return compare_runs(base, head, past, tolerance=tolerance, alpha=alpha)


def _measured_in(run: Run) -> list[str]:
    """Ids of the cases that have a speed-up."""
    return [result.case.id for result in run.results if isinstance(result.measurement, Measurement)]


_NOTHING_ACCEPTED = Unknown(reason="nothing was accepted")
_MEASURED_SOUNDLY = frozenset({Outcome.PASS, Outcome.BELOW_FLOOR, Outcome.INCONCLUSIVE})


def _session(point: TrendPoint) -> Session:
    """An earlier run of a case; what was wrong in it says nothing of its speed."""
    sound = point.outcome in _MEASURED_SOUNDLY
    return Session(
        floor_ratio=point.floor_ratio, speedup=point.speedup if sound else Unknown(reason=point.outcome.value)
    )


def _accepted_since(
    store: Store, base: Run, head: Run, line: tuple[str, ...] | Unknown
) -> dict[str, tuple[Acceptance, Measurement] | Unknown]:
    """The latest word on each case after base and before head, by case, with what was measured."""
    words = store.acceptances(head.machine.comparability_class, until=head.started_at)
    runs = {run_id: store.run(run_id) for run_id in {word.run_id for word in words} - {head.id}}
    found = {}
    for word in words:
        run = runs.get(word.run_id, head)
        if run is not head and run.started_at > base.started_at and _is_before(run, head, line):
            found[word.case.id] = _measured(run, word)
    return found


def _is_before(run: Run, head: Run, line: tuple[str, ...] | Unknown) -> bool:
    """Whether a run measured, without changes, what head's commit was made from."""
    if isinstance(run.commit, Unknown) or isinstance(head.commit, Unknown) or run.commit.dirty:
        return False
    return run.commit.branch == head.commit.branch if isinstance(line, Unknown) else run.commit.sha in line


def _measured(run: Run, word: Acceptance) -> tuple[Acceptance, Measurement] | Unknown:
    for result in run.results:
        if result.case.id == word.case.id and isinstance(result.measurement, Measurement):
            return word, result.measurement
    return Unknown(reason="what was accepted was not measured")
