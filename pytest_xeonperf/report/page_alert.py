"""The page of an alert: what moved, when and between which commits, who did what, and a form to decide about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.exchange.alert_words import commits, happened, moved
from pytest_xeonperf.exchange.triage import is_address
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.report import links
from pytest_xeonperf.report.environment import Fact
from pytest_xeonperf.report.page_alerts import BADGES
from pytest_xeonperf.report.verdict import Banner
from pytest_xeonperf.units import show_ns, show_time

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pytest_xeonperf.alerts import Alert, AlertEvent
    from pytest_xeonperf.records import Case

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
class AlertPage:
    """One alert.

    Attributes:
        case_href: Empty where the case was measured by a gate alone.
        run_id: Of the first run on the new level.
        run_href: Of that run; empty where it has no page.
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
    runs: Collection[str],
    cases: Collection[str],
    form: TriageForm | Unknown,
    sign_in: str = "",
) -> AlertPage:
    """The page of an alert.

    Args:
        alert: The alert.
        events: What happened to it, in that order.
        runs: Ids of the runs that have a page to link to.
        cases: Ids of the cases that have one.
        form: To triage it, or why not here.
        sign_in: Where whoever has a token for that gets the form.
    """
    has_run = not isinstance(alert.run_id, Unknown) and alert.run_id in runs
    return AlertPage(
        title=f"Alert {alert.id}",
        banner=Banner(badge=BADGES[alert.state], sentence=_sentence(alert), counts=()),
        case=alert.case,
        case_href=links.case_page(alert.case.id) if alert.case.id in cases else "",
        run_id=alert.run_id,
        run_href=links.run_page(str(alert.run_id)) if has_run else "",
        facts=_facts(alert),
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


def _sentence(alert: Alert) -> str:
    back = "" if isinstance(alert.recovered_run_id, Unknown) else " The latency is back since."
    whose = f" {alert.assignee} has it." if alert.assignee else ""
    levels = f"from {show_ns(alert.before_ns)} to {show_ns(alert.after_ns)}"
    return f"The latency changed by {moved(alert)}, {levels}, between {commits(alert)}.{back}{whose}"


def _facts(alert: Alert) -> tuple[Fact, ...]:
    facts = [
        Fact(name="since", value=f"{show_time(alert.since)} UTC"),
        Fact(name="raised", value=f"{show_time(alert.raised_at)} UTC", note=f"by {alert.source.label}"),
        Fact(name="last fast commit", value=_sha(alert.sha_before)),
        Fact(name="first slow commit", value=_sha(alert.sha_after)),
        Fact(name="machine", value=f"class {alert.comparability_class}"),
        Fact(name="assignee", value=alert.assignee or "nobody"),
    ]
    if not isinstance(alert.recovered_run_id, Unknown):
        facts.append(Fact(name="back in run", value=alert.recovered_run_id))
    return tuple(facts)


def _sha(sha: str | Unknown) -> str:
    return f"unknown: {sha.reason}" if isinstance(sha, Unknown) else sha[:_SHORT_SHA]
