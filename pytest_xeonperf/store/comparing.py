"""Two runs beside their past: what the history knows of each of their cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.judge.runs import Past, RunComparison, compare_runs
from pytest_xeonperf.records import Acceptance, Measurement, Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.records import Case, Machine, Run
    from pytest_xeonperf.store.repository import Store

_SESSIONS = 50


def compared(
    store: Store, base: Run, head: Run, *, line: tuple[str, ...] | Unknown, tolerance: float, alpha: float
) -> RunComparison:
    """Two runs, with what the history knows of their cases; see `compare_runs`.

    Args:
        store: The history.
        base: What is compared with.
        head: What is judged.
        line: The commits that head's was made from: only what was accepted on them counts. Where nobody knows them,
            the branch decides.
        tolerance: As for `compare_runs`.
        alpha: As for `compare_runs`.
    """
    accepted, accepted_on = _accepted_since(store, base, head, line)

    sessions = store.sessions(
        [result.case.id for result in head.results], machine=head.machine, limit=_SESSIONS, before=head.started_at
    )

    def past(case: Case) -> Past:
        return Past(
            sessions=sessions[case.id],
            accepted=accepted.get(case.id, _NOTHING_ACCEPTED),
            accepted_on=accepted_on.get(case.id, _NOTHING_ACCEPTED),
        )

    return compare_runs(base, head, past, tolerance=tolerance, alpha=alpha)


_NOTHING_ACCEPTED = Unknown(reason="nothing was accepted")


def _accepted_since(
    store: Store, base: Run, head: Run, line: tuple[str, ...] | Unknown
) -> tuple[dict[str, tuple[Acceptance, Measurement] | Unknown], dict[str, Machine]]:
    """The latest word on each case after base and before head, by case, with what was measured, and on what machine."""
    words = store.acceptances(head.machine.comparability_class, until=head.started_at)
    runs = {run_id: store.run(run_id) for run_id in {word.run_id for word in words} - {head.id}}
    found: dict[str, tuple[Acceptance, Measurement] | Unknown] = {}
    machines = {}
    for word in words:
        run = runs.get(word.run_id, head)
        if run is not head and run.started_at > base.started_at and _is_before(run, head, line):
            found[word.case.id] = _measured(run, word)
            machines[word.case.id] = run.machine
    return found, machines


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
