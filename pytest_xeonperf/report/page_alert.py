"""The page of an alert: what moved, when and between which commits, who did what, and a form to decide about it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.exchange.alert_words import commits, happened, moved, side
from pytest_xeonperf.exchange.triage import is_address
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.environment import Fact
from pytest_xeonperf.report.page_alerts import BADGES
from pytest_xeonperf.report.verdict import Banner
from pytest_xeonperf.units import show_ns, show_slower, show_time

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pytest_xeonperf.alerts import Alert, AlertEvent
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.report.surroundings import Surroundings
    from pytest_xeonperf.report.why import Why
    from pytest_xeonperf.store.summaries import CommitSummary

_SHORT_SHA = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """Who did what, and when."""

    when: str
    by: str
    what: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageForm:
    """What whoever may triage is asked.

    Attributes:
        csrf: Proof that the form is from this page.
        states: (value, whether it is the present one).
        complaint: Why what was sent was not done; empty where nothing was.
    """

    action: str
    csrf: str
    states: tuple[tuple[str, bool], ...]
    state: str
    assignee: str
    issue_url: str
    complaint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The last fast run beside the first slow one.

    Attributes:
        title: Which runs these are.
        why: What explains the change, or why that is not known.
        href: Of all their cases beside each other; empty where there is no such page.
        command: That makes one; empty where there is one, or nothing to compare.
    """

    title: str
    why: Why | Unknown
    href: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """One alert.

    Attributes:
        case_href: Empty where the case was measured by a gate alone.
        run_id: Of the first run on the new level.
        run_href: Of that run; empty where it has no page.
        fast_href: Of the last run before on the old level; empty where it has no page.
        side: Which side moved.
        issue_href: Empty where there is none.
        form: Why there is none, where nobody can triage here.
        sign_in: Where a browser is asked for a token that may triage; empty where that is not possible.
        command: That triages from a terminal.
    """

    title: str
    banner: Banner
    case: Case
    case_href: str
    run_id: str | Unknown
    run_href: str
    fast_href: str
    side: str
    compared: Compared
    facts: tuple[Fact, ...]
    note: str
    issue_href: str
    events: tuple[EventRow, ...]
    form: TriageForm | Unknown
    sign_in: str
    command: str


def alert_page(
    alert: Alert,
    events: Sequence[AlertEvent],
    *,
    around: Surroundings,
    why: Why | Unknown,
    compare: str,
    runs: Collection[str],
    cases: Collection[str],
    form: TriageForm | Unknown,
    sign_in: str = "",
) -> AlertPage:
    """The page of an alert.

    Args:
        alert: The alert.
        events: What happened to it, in that order.
        around: What the history knows around it.
        why: What explains the change.
        compare: Where the last fast run and the first slow one are compared; empty where they are not.
        runs: Ids of the runs that have a page to link to.
        cases: Ids of the cases that have one.
        form: To triage it, or why not here.
        sign_in: Where whoever has a token for that gets the form.
    """
    fast_id = "" if isinstance(around.fast_run, Unknown) else around.fast_run[0]
    return AlertPage(
        title=f"Alert {alert.id}",
        banner=_banner(alert),
        case=alert.case,
        case_href=_trend(alert, around) if alert.case.id in cases else "",
        run_id=alert.run_id,
        run_href=_page_of(alert.run_id, runs),
        fast_href=_page_of(fast_id, runs),
        side=side(around.side),
        compared=_compared(alert, around, why, compare),
        facts=_facts(alert, around),
        note=alert.note,
        issue_href=alert.issue_url if is_address(alert.issue_url) else "",
        events=tuple(
            EventRow(when=show_time(event.at), by=event.by, what=happened(event), note=event.note) for event in events
        ),
        form=form,
        sign_in=sign_in,
        command=f"xeonperf alerts set {alert.id} --state investigating --assignee NAME",
    )


def triage_form(alert: Alert, *, csrf: str, complaint: str = "") -> TriageForm:
    """The form as it begins: with what is so now, and with what was wrong before."""
    return TriageForm(
        action=links.alert_page(alert.id),
        csrf=csrf,
        states=tuple((state.value, state is alert.state) for state in AlertState),
        state=alert.state.value,
        assignee=alert.assignee,
        issue_url=alert.issue_url,
        complaint=complaint,
    )


def _banner(alert: Alert) -> Banner:
    """How much slower it became, while somebody has to do something about that; then what was decided."""
    badge, sentence = BADGES[alert.state], _sentence(alert)
    if not alert.state.open:
        return Banner(badge=badge, sentence=f"The {sentence}", counts=())
    slower = replace(badge, word=show_slower(alert.latency_ratio))
    return Banner(badge=slower, sentence=f"{badge.word.capitalize()}: the {sentence}", counts=())


def _sentence(alert: Alert) -> str:
    back = "" if isinstance(alert.recovered_run_id, Unknown) else " The latency is back since."
    whose = f" {alert.assignee} has it." if alert.assignee else ""
    levels = f"from {show_ns(alert.before_ns)} to {show_ns(alert.after_ns)}"
    return f"latency changed by {moved(alert)}, {levels}, between {commits(alert)}.{back}{whose}"


def _trend(alert: Alert, around: Surroundings) -> str:
    """The chart of the alert's class of machine, where the case has one."""
    if around.in_trend:
        return links.trend_href(alert.case.id, alert.comparability_class)
    return links.case_page(alert.case.id)


def _page_of(run_id: str | Unknown, runs: Collection[str]) -> str:
    return "" if isinstance(run_id, Unknown) or run_id not in runs else links.run_page(run_id)


def _compared(alert: Alert, around: Surroundings, why: Why | Unknown, compare: str) -> Compared:
    if isinstance(alert.run_id, Unknown) or isinstance(around.fast_run, Unknown) or alert.case.alone:
        return Compared(title="", why=why, href="", command="")
    run_id, started_at = around.fast_run
    fast, slow = show_time(started_at), show_time(alert.since)
    return Compared(
        title=f"From the last fast run, of {fast}, to the first slow one, of {slow} UTC.",
        why=why,
        href=f"{compare}#{links.case_anchor(alert.case.id)}" if compare else "",
        command="" if compare else shlex.join(["xeonperf", "compare", run_id, alert.run_id, "--html", links.COMPARE]),
    )


def _facts(alert: Alert, around: Surroundings) -> tuple[Fact, ...]:
    class_note = f"class {alert.comparability_class}"
    machine = (
        Fact(name="machine", value=class_note, note=around.machine.reason)
        if isinstance(around.machine, Unknown)
        else Fact(name="machine", value=around.machine, note=class_note)
    )
    facts = [
        _commit("last fast commit", alert.sha_before, around.commits),
        _commit("first slow commit", alert.sha_after, around.commits),
        machine,
        Fact(name="since", value=f"{show_time(alert.since)} UTC"),
        Fact(name="raised", value=f"{show_time(alert.raised_at)} UTC", note=f"by {alert.source.label}"),
        Fact(name="assignee", value=alert.assignee or "nobody"),
    ]
    if not isinstance(alert.recovered_run_id, Unknown):
        facts.append(Fact(name="back in run", value=alert.recovered_run_id))
    return tuple(facts)


def _commit(name: str, sha: str | Unknown, known: Mapping[str, CommitSummary]) -> Fact:
    """A commit with all that the history knows of it."""
    if isinstance(sha, Unknown):
        return Fact(name=name, value=f"unknown: {sha.reason}")
    found = known.get(sha)
    if found is None:
        return Fact(name=name, value=sha[:_SHORT_SHA], note="of which no run is in the history")
    author = "" if isinstance(found.author, Unknown) else f"{found.author}, "
    return Fact(name=name, value=sha[:_SHORT_SHA], note=f"{found.subject} ({author}{show_time(found.committed_at)})")
