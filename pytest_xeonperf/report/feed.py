"""News of the history as an Atom feed (RFC 4287): what a reader wants to be told of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from pytest_xeonperf.alerts import EventKind
from pytest_xeonperf.exchange.alert_words import commits, moved
from pytest_xeonperf.records import RunState, Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.render import environment
from pytest_xeonperf.report.verdict import Tone, counts, ended, overall
from pytest_xeonperf.units import show_change, show_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert, AlertEvent
    from pytest_xeonperf.store.summaries import RunSummary

_MOST_ENTRIES = 50
_HAPPENED: Mapping[EventKind, str] = {
    EventKind.RAISED: "▼ slower",
    EventKind.RECOVERED: "✓ the latency is back",
    EventKind.REOPENED: "▼ slower after all",
}
_BEFORE_ALL = "1970-01-01T00:00:00Z"
"""When a feed without an entry was changed last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One piece of news.

    Attributes:
        id: An IRI that never changes and that nothing else has.
        updated: RFC 3339, in UTC.
        href: The page that says more.
        summary: Plain text.
    """

    id: str
    title: str
    updated: str
    href: str
    summary: str


def news_of_runs(summaries: Sequence[RunSummary], address: Callable[[str], str]) -> Iterator[Entry]:
    """The runs that are red or undecided and have ended.

    Args:
        summaries: Newest first.
        address: Where people find a page, by its name.
    """
    for summary in summaries:
        outcomes = [outcome for outcome, number in summary.outcomes for _ in range(number)]
        whole = ended(overall(outcomes), summary.state)
        if whole.tone is Tone.GOOD or summary.state is RunState.RUNNING:
            continue
        said = ", ".join(f"{each.number} {each.badge.word}" for each in counts(outcomes)) or "no case has a result"
        on = "" if isinstance(summary.branch, Unknown) else f" on {summary.branch}"
        at = "" if isinstance(summary.sha, Unknown) else f" of {summary.sha[:10]}"
        ended_at = summary.started_at if isinstance(summary.finished_at, Unknown) else summary.finished_at
        yield Entry(
            id=uuid5(NAMESPACE_URL, f"xeonperf run {summary.id}").urn,
            title=f"{whole.sign} run{at}{on}: {whole.word}",
            updated=_rfc3339(ended_at),
            href=address(links.run_page(summary.id)),
            summary=f"{said}. {summary.cpu_model}, {summary.isa}.",
        )


def news_of_alerts(news: Iterable[tuple[Alert, AlertEvent]], address: Callable[[str], str]) -> Iterator[Entry]:
    """What became slower, what is back, and what is not back after all.

    Args:
        news: Each event with its alert as it is now.
        address: Where people find a page, by its name.
    """
    for alert, event in news:
        yield Entry(
            id=uuid5(NAMESPACE_URL, f"xeonperf alert {alert.id} {event.kind} {event.at}").urn,
            title=f"{_HAPPENED[event.kind]}: {alert.case.label} {show_change(alert.latency_ratio)}",
            updated=_rfc3339(event.at),
            href=address(links.alert_page(alert.id)),
            summary=f"{moved(alert)} time, {show_ns(alert.before_ns)} to {show_ns(alert.after_ns)}, between "
            f"{commits(alert)}; the alert is {alert.state} now.",
        )


def atom(entries: Sequence[Entry], *, self_href: str, home_href: str) -> str:
    """The feed, newest first.

    Args:
        entries: Of every kind of news, in any order.
        self_href: Where the feed is, which is its id too.
        home_href: Where the pages are.
    """
    newest = sorted(entries, key=lambda entry: entry.updated, reverse=True)[:_MOST_ENTRIES]
    return (
        environment()
        .get_template("feed.atom.j2")
        .render(
            entries=newest,
            self_href=self_href,
            home_href=home_href,
            updated=newest[0].updated if newest else _BEFORE_ALL,
        )
    )


def _rfc3339(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S')}Z"
