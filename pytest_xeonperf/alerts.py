"""The facts about slow-downs that somebody should look at: what was seen, what people decided, and who did what when.

As in `records`: frozen, slotted, keyword-only, deciding nothing. A ratio of latencies is after over before: above 1 is
slower; an `Estimate` is before over after, as every speed-up.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Case, Estimate, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping


class AlertState(StrEnum):
    """What people have made of an alert; the first three are open."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    EXPECTED = "expected"
    FIXED = "fixed"
    INVALID = "invalid"

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self in {AlertState.NEW, AlertState.ACKNOWLEDGED, AlertState.INVESTIGATING}


OPEN_STATES = tuple(state for state in AlertState if state.open)
"""In which somebody still has to do something."""


class AlertSource(StrEnum):
    """Who raised an alert: two commits side by side, or a level that changed in the history."""

    GATE = "gate"
    CHANGE_POINT = "change_point"

    @property
    def label(self) -> str:
        """For people: ``change points``, who then did something."""
        return "change points" if self is AlertSource.CHANGE_POINT else "gate"


class Direction(StrEnum):
    """Where the latency went; what became faster raises no alert."""

    SLOWER = "slower"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A case that became slower, and what people made of it.

    Attributes:
        id: Twelve hexadecimal digits, of what was seen when it was raised: see `change_point_id` and `gate_id`.
        latency_ratio: After over before.
        speed: Before over after with its interval, as a gate measures it.
        before_ns: Median for one item, as is `after_ns`.
        run_id: The first run on the new level.
        fingerprint: Of the machine of that run.
        since: When that run started, UTC ISO-8601; of a gate, when it found the slow-down.
        sha_before: Of the last commit known to be as fast as before.
        sha_after: Of the first commit known to be slow.
        raised_at: UTC ISO-8601.
        assignee: Whose it is; empty while it is nobody's.
        note: The latest word on it; empty where there is none.
        issue_url: ``http`` or ``https``; empty where there is none.
        recovered_run_id: The first run in which the latency was back at its old level.
    """

    id: str
    case: Case
    comparability_class: str
    source: AlertSource
    direction: Direction
    latency_ratio: float
    speed: Estimate | Unknown
    before_ns: int
    after_ns: int
    run_id: str | Unknown
    fingerprint: str | Unknown
    since: str
    sha_before: str | Unknown
    sha_after: str | Unknown
    raised_at: str
    state: AlertState = AlertState.NEW
    assignee: str = ""
    note: str = ""
    issue_url: str = ""
    recovered_run_id: str | Unknown = Unknown(reason="the latency is not back")


class EventKind(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    MOVED = "moved"
    RECOVERED = "recovered"
    REOPENED = "reopened"
    TRIAGED = "triaged"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """Who did what to an alert, and when.

    Attributes:
        alert_id: Of the alert.
        by: A person's or a token's name, or what the `AlertSource` that saw it is called.
        at: UTC ISO-8601.
        changes: (name, before, after) of every field that changed, in words.
        note: What was said with it; empty where nothing was.
    """

    alert_id: str
    kind: EventKind
    by: str
    at: str
    changes: tuple[tuple[str, str, str], ...]
    note: str


AS_IT_IS = Unknown(reason="stays as it is")
"""A field of a `Triage` that nobody touches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Triage:
    """What somebody wants to be different about an alert; an empty text takes away what is there."""

    state: AlertState | Unknown = AS_IT_IS
    assignee: str | Unknown = AS_IT_IS
    note: str | Unknown = AS_IT_IS
    issue_url: str | Unknown = AS_IT_IS


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPoint:
    """One measurement in the series of a case on a class of machine: what a level is found from.

    Attributes:
        started_at: Of its run, UTC ISO-8601.
        fingerprint: Of the machine: another one is another environment.
        median_ns: Of the case, for one item; positive.
    """

    run_id: str
    started_at: str
    sha: str | Unknown
    fingerprint: str
    median_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a look at the series of a case on a class of machine goes by, as it is at one moment.

    Attributes:
        points: Oldest first.
        known: Its alerts.
        accepted: Ids of runs in which somebody accepted the case.
        fixed_from: By the ids of alerts which a look has called fixed, and nobody since: the state before.
        due: Ids of alerts of a gate that are expected and whose run has come, but is not accepted yet.
    """

    points: tuple[SeriesPoint, ...]
    known: tuple[Alert, ...]
    accepted: frozenset[str]
    fixed_from: Mapping[str, AlertState]
    due: tuple[str, ...] = ()


def change_point_id(case: Case, comparability_class: str, run_id: str, earlier: int) -> str:
    """The id of an alert on a level that begins with a run, of which so many alerts tell that were decided about."""
    return _digest(case.id, comparability_class, AlertSource.CHANGE_POINT, Direction.SLOWER, run_id, str(earlier))


def gate_id(case: Case, comparability_class: str, base_sha: str, head_sha: str) -> str:
    """The id of an alert on what a gate saw between two commits."""
    return _digest(case.id, comparability_class, AlertSource.GATE, Direction.SLOWER, base_sha, head_sha)


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:12]
