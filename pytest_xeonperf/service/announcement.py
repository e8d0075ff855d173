"""What is told of a run that arrived, and of alerts: notices for people and for programs."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange.alert_words import worst_first
from pytest_xeonperf.exchange.alerts import alert_entry
from pytest_xeonperf.records import Commit, Outcome
from pytest_xeonperf.report import links
from pytest_xeonperf.report.text import legible
from pytest_xeonperf.report.verdict import counts
from pytest_xeonperf.service.outbox import Notice
from pytest_xeonperf.units import show_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.ci.alerts import News
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


def changed_alerts(news: News, *, at: str, public_url: str) -> Notice:
    """That alerts are new, over, or open again after all: one notice for all that a look at the history found.

    Args:
        news: With something in it.
        at: When that was, UTC ISO-8601.
        public_url: As `red_run` has it.
    """
    kinds = {"raised": news.raised, "recovered": news.recovered, "reopened": news.reopened}
    link = f"{public_url}/{links.alerts_page()}"
    told = [line for kind, alerts in kinds.items() for line in _told(kind, alerts, public_url)]
    named = [kind + alert.id for kind, alerts in kinds.items() for alert in alerts]
    return Notice(
        id=f"alerts-{hashlib.sha256(' '.join([at, *named]).encode()).hexdigest()[:32]}",
        event="alerts.changed",
        subject=_line(f"xeonperf: {news.summary}"),
        text="\n".join([*map(_line, told), "", link, ""]),
        document={
            "event": "alerts.changed",
            "at": at,
            "numbers": {kind: len(alerts) for kind, alerts in kinds.items()},
            **{
                kind: [
                    {**alert_entry(alert), "link": f"{public_url}/{links.alert_page(alert.id)}"}
                    for alert in worst_first(alerts)[:_MOST_CASES]
                ]
                for kind, alerts in kinds.items()
            },
            "link": link,
        },
    )


def _told(kind: str, alerts: Sequence[Alert], public_url: str) -> list[str]:
    """A line for each of the worst, and one for how many there are besides."""
    lines = [
        f"{kind} {alert.case.label}: {show_change(alert.latency_ratio)} time on {alert.comparability_class}, "
        f"{public_url}/{links.alert_page(alert.id)}"
        for alert in worst_first(alerts)[:_MOST_CASES]
    ]
    more = len(alerts) - _MOST_CASES
    return [*lines, f"{kind}: {more} more"] if more > 0 else lines


def _line(text: str) -> str:
    """Text from elsewhere on one line, as a header of a letter has to be."""
    return " ".join(legible(text).split())
