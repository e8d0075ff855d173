"""The list of alerts: what became slower, and what people have made of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.exchange.alert_words import commits, slowed, worst_first
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.verdict import Badge, Banner, Count, Tone
from pytest_xeonperf.units import show_change, show_count, show_ns, show_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Case

BADGES: Mapping[AlertState, Badge] = {
    AlertState.NEW: Badge(word="new", sign="▼", tone=Tone.BAD),
    AlertState.ACKNOWLEDGED: Badge(word="acknowledged", sign="!", tone=Tone.OPEN),
    AlertState.INVESTIGATING: Badge(word="investigating", sign="?", tone=Tone.OPEN),
    AlertState.EXPECTED: Badge(word="expected", sign="✓", tone=Tone.GOOD),
    AlertState.FIXED: Badge(word="fixed", sign="✓", tone=Tone.GOOD),
    AlertState.INVALID: Badge(word="invalid", sign="–", tone=Tone.GOOD),  # noqa: RUF001
}
"""How a state looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One alert in a list; `href` is empty where it has no page."""

    href: str
    badge: Badge
    case: Case
    change: str
    before: str
    after: str
    since: str
    commits: str
    source: str
    machine: str
    assignee: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateLink:
    """A list of the alerts in one state, or of all."""

    href: str
    word: str
    number: int
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsPage:
    """The list, open ones first, worst first."""

    title: str
    banner: Banner
    open_alerts: int
    lists_all: bool
    states: tuple[StateLink, ...]
    rows: tuple[AlertRow, ...]


def alerts_page(alerts: Sequence[Alert], *, state: AlertState | Unknown, pages: Collection[str]) -> AlertsPage:
    """The list.

    Args:
        alerts: Of every state.
        state: The one to show, or that all are.
        pages: Ids of the alerts that have a page to link to.
    """
    tally = Counter(alert.state for alert in alerts)
    shown = [alert for alert in alerts if isinstance(state, Unknown) or alert.state is state]
    every = StateLink(href=links.alerts_page(), word="all", number=len(alerts), current=isinstance(state, Unknown))
    of_states = [
        StateLink(href=links.alerts_page(each.value), word=each.value, number=tally[each], current=each is state)
        for each in AlertState
        if tally[each] or each is state
    ]
    return AlertsPage(
        title="Alerts" if isinstance(state, Unknown) else f"Alerts: {state.value}",
        banner=_banner(alerts),
        open_alerts=sum(alert.state.open for alert in alerts),
        lists_all=every.current,
        states=(every, *of_states),
        rows=alert_rows(shown, pages=pages),
    )


def alert_rows(alerts: Sequence[Alert], *, pages: Collection[str]) -> tuple[AlertRow, ...]:
    """Alerts as lines of a table, open ones first, worst first."""
    return tuple(
        AlertRow(
            href=links.alert_page(alert.id) if alert.id in pages else "",
            badge=BADGES[alert.state],
            case=alert.case,
            change=show_change(alert.latency_ratio),
            before=show_ns(alert.before_ns),
            after=show_ns(alert.after_ns),
            since=show_time(alert.since),
            commits=commits(alert),
            source=alert.source.label,
            machine=alert.comparability_class,
            assignee=alert.assignee,
        )
        for alert in worst_first(alerts)
    )


def open_alerts_words(alerts: Sequence[Alert]) -> str:
    """How many are open, for the first page: ``2 open alerts``; nothing where there never was one."""
    number = sum(alert.state.open for alert in alerts)
    return (show_count(number, "open alert") if number else "no open alerts") if alerts else ""


def _banner(alerts: Sequence[Alert]) -> Banner:
    tally = Counter(alert.state for alert in alerts)
    counts = tuple(Count(badge=BADGES[state], number=tally[state]) for state in AlertState if tally[state])
    still = [alert for alert in worst_first(alerts) if alert.state.open]
    if not still:
        good = Badge(word="no open alerts", sign="✓", tone=Tone.GOOD)
        return Banner(badge=good, sentence="Nothing that became slower waits for anybody.", counts=counts)
    nobodys = sum(not alert.assignee for alert in still)
    unassigned = f"; {nobodys} assigned to nobody" if nobodys else ""
    tone = Tone.BAD if tally[AlertState.NEW] else Tone.OPEN
    return Banner(
        badge=Badge(word=show_count(len(still), "open alert"), sign="▼", tone=tone),
        sentence=f"{still[0].case.label} {slowed(still[0])}{unassigned}.",
        counts=counts,
    )
