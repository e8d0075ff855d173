"""A run beside its past: the run of the nearest earlier commit, and what the history knows of each case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.ci.git import ancestors
from pytest_xeonperf.judge.runs import Past, RunComparison, Session, compare_runs
from pytest_xeonperf.records import Acceptance, Measurement, Unknown

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.records import Case, Run
    from pytest_xeonperf.store.repository import Store

_SESSIONS = 50


def earlier_run(store: Store, head: Run, directory: Path) -> str | Unknown:
    """The id of the newest run of the nearest earlier commit on the same class of machine, or why there is none.

    Args:
        store: The history.
        head: Whose past is asked for.
        directory: In the repository that knows what came before.
    """
    if isinstance(head.commit, Unknown):
        return Unknown(reason=f"the commit of run {head.id} is unknown: {head.commit.reason}")
    line = ancestors(directory, head.commit.sha)
    if isinstance(line, Unknown):
        return Unknown(reason=f"nobody knows what came before {head.commit.sha}: {line.reason}")
    earlier = line if head.commit.dirty else line[1:]
    return store.baseline(earlier, comparability_class=head.machine.comparability_class)


def compared(store: Store, base: Run, head: Run, *, tolerance: float, alpha: float) -> RunComparison:
    """Two runs, with what the history knows of their cases; see `compare_runs`."""
    accepted = _accepted_since(store, base, head)

    def past(case: Case) -> Past:
        points = store.trend(case.id, comparability_class=head.machine.comparability_class, limit=_SESSIONS)
        return Past(
            sessions=tuple(
                Session(floor_ratio=point.floor_ratio, speedup=point.speedup)
                for point in points
                if point.started_at < head.started_at
            ),
            accepted=_measured(store, accepted[case.id]) if case.id in accepted else _NOTHING_ACCEPTED,
        )

    return compare_runs(base, head, past, tolerance=tolerance, alpha=alpha)


_NOTHING_ACCEPTED = Unknown(reason="nothing was accepted")


def _accepted_since(store: Store, base: Run, head: Run) -> dict[str, Acceptance]:
    """The latest word on each case after base and before head, by case."""
    words = store.acceptances(head.machine.comparability_class, until=head.started_at)
    return {
        word.case.id: word
        for word in words
        if word.run_id != head.id and store.run(word.run_id).started_at > base.started_at
    }


def _measured(store: Store, word: Acceptance) -> tuple[Acceptance, Measurement] | Unknown:
    for result in store.results_of(word.run_id):
        if result.case.id == word.case.id and isinstance(result.measurement, Measurement):
            return word, result.measurement
    return Unknown(reason="what was accepted was not measured")
