"""What is told of a run that arrived: a notice for people and for programs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Commit, Outcome
from pytest_xeonperf.report import links
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.report.verdict import counts
from pytest_xeonperf.service.outbox import Notice

if TYPE_CHECKING:
    from pytest_xeonperf.records import Run

_MOST_CASES = 20


def is_red(run: Run) -> bool:
    """Whether something is wrong with the code that was measured."""
    return any(result.verdict.outcome.red for result in run.results)


def red_run(run: Run, *, public_url: str) -> Notice:
    """That a run is red: what it came to, its red cases, and where to look."""
    outcomes = [result.verdict.outcome for result in run.results]
    tally = Counter(outcomes)
    red = [result for result in run.results if result.verdict.outcome.red][:_MOST_CASES]
    commit = run.commit
    sha, branch = (commit.sha, commit.branch) if isinstance(commit, Commit) else ("", "")
    link = f"{public_url}/{links.run_page(run.id)}"
    of_commit = f" of {sha[:10]} on {branch}" if sha else ""
    said = ", ".join(f"{each.number} {each.badge.word}" for each in counts(outcomes))
    told = [f"{result.verdict.outcome.value} {result.case.label}: {result.verdict.reason}" for result in red]
    return Notice(
        id=f"run-red-{run.id}",
        event="run.red",
        subject=_line(f"xeonperf: run{of_commit} failed: {said}"),
        text="\n".join([*map(_line, told), "", link, ""]),
        document={
            "event": "run.red",
            "run": run.id,
            "started_at": run.started_at,
            "sha": sha,
            "branch": branch,
            "comparability_class": run.machine.comparability_class,
            "outcomes": {outcome.value: tally[outcome] for outcome in Outcome if tally[outcome]},
            "red": [
                {"case": result.case.id, "label": result.case.label, "verdict": result.verdict.outcome.value}
                for result in red
            ],
            "link": link,
        },
    )


def _line(text: str) -> str:
    """Text from elsewhere on one line, as a header of a letter has to be."""
    return " ".join(legible(text).split())
