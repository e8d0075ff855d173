"""What open alerts add to a verdict: whose cases became slower has not passed, whatever its newest run came to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.exchange.alert_words import since, slowed, worst_first
from pytest_xeonperf.report import links
from pytest_xeonperf.report.filters import OTHER_MACHINE
from pytest_xeonperf.report.verdict import Badge, Banner, Piece, Tone, name_of
from pytest_xeonperf.units import show_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert

SLOWER = Badge(word="slower than before", sign="▼", tone=Tone.BAD)
"""For a whole of which something became slower that nobody has looked at."""

KNOWN = Badge(word="known to be slower", sign="▼", tone=Tone.OPEN)
"""For a whole of which somebody has looked at everything that became slower, and has not decided yet."""


def open_ones(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Those that are open: what nobody has looked at first, within each what became slower most."""
    still = (alert for alert in worst_first(alerts) if alert.state.open)
    return tuple(sorted(still, key=lambda alert: alert.state is not AlertState.NEW))


def with_alerts(own: Banner, alerts: Sequence[Alert], machines: Mapping[str, str], *, named: bool = True) -> Banner:
    """The verdict of a run or a case, with its open alerts.

    Red stays what it is, and names them at its end. Everything else is red with an alert that is new, undecided with
    those that somebody has looked at, and says so first.

    Args:
        own: Without them.
        alerts: Of every state.
        machines: How to call a comparability class; where there are several, the sentence says which one.
        named: Whether the sentence names the case.
    """
    still = open_ones(alerts)
    if not still:
        return own
    itself = own.pieces or (Piece(text=own.sentence),) if own.sentence else ()
    if own.badge.tone is Tone.BAD:
        joint = (Piece(text=" " if named else "; "),) if itself else ()
        said = _said(still, machines, named=named, begins=named or not itself)
        return Banner.of(own.badge, (*itself, *joint, *said), own.counts)
    badge = SLOWER if still[0].state is AlertState.NEW else KNOWN
    return Banner.of(badge, (*_said(still, machines, named=named, begins=True), Piece(text=" "), *itself), own.counts)


def _said(alerts: Sequence[Alert], machines: Mapping[str, str], *, named: bool, begins: bool) -> tuple[Piece, ...]:
    """The worst alert in words, and how many others there are; both lead there."""
    first, *others = alerts
    what = f"{name_of(first.case)} {slowed(first)}" if named else slowed(first)
    where = f" on {machines.get(first.comparability_class, OTHER_MACHINE)}" if len(machines) > 1 else ""
    lead = Piece(text=what if named or not begins else f"{what[0].upper()}{what[1:]}", href=links.alert_page(first.id))
    rest = Piece(text=f"{where} {since(first)}{_looked_at(first)}")
    if not others:
        return (lead, replace(rest, text=f"{rest.text}."))
    more = Piece(text=show_count(len(others), "more open alert"), href=links.alerts_page())
    return (lead, replace(rest, text=f"{rest.text}, and "), more, Piece(text="."))


def _looked_at(alert: Alert) -> str:
    if alert.state is AlertState.NEW:
        return ""
    return f", {alert.state.value}{f', assigned to {alert.assignee}' if alert.assignee else ''}"
