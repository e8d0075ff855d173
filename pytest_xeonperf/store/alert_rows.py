"""Alerts and their events as rows, and back: pure, as `to_rows` and `from_rows`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_xeonperf.alerts import Alert, AlertEvent, AlertSource, AlertState, Direction, EventKind
from pytest_xeonperf.records import Estimate, Unknown
from pytest_xeonperf.store.from_rows import known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.records import Case


def alert_row(alert: Alert) -> dict[str, Any]:
    """A row of `alert`."""
    return {
        "id": alert.id,
        "case_id": alert.case.id,
        "comparability_class": alert.comparability_class,
        "source": alert.source.value,
        "direction": alert.direction.value,
        "latency_ratio": alert.latency_ratio,
        **_speed_columns(alert.speed),
        "before_ns": alert.before_ns,
        "after_ns": alert.after_ns,
        **_or_why("run_id", alert.run_id, "run_unknown"),
        **_or_why("fingerprint", alert.fingerprint, "run_unknown"),
        "since": alert.since,
        **_or_why("sha_before", alert.sha_before, "sha_before_unknown"),
        **_or_why("sha_after", alert.sha_after, "sha_after_unknown"),
        "raised_at": alert.raised_at,
        "state": alert.state.value,
        "assignee": alert.assignee,
        "note": alert.note,
        "issue_url": alert.issue_url,
        **_or_why("recovered_run_id", alert.recovered_run_id, "recovered_unknown"),
    }


def alert_from(row: Mapping[str, Any], case: Case) -> Alert:
    """The alert, from a row of `alert`."""
    return Alert(
        id=row["id"],
        case=case,
        comparability_class=row["comparability_class"],
        source=AlertSource(row["source"]),
        direction=Direction(row["direction"]),
        latency_ratio=row["latency_ratio"],
        speed=_speed(row),
        before_ns=row["before_ns"],
        after_ns=row["after_ns"],
        run_id=known(row, "run_id", "run_unknown"),
        fingerprint=known(row, "fingerprint", "run_unknown"),
        since=row["since"],
        sha_before=known(row, "sha_before", "sha_before_unknown"),
        sha_after=known(row, "sha_after", "sha_after_unknown"),
        raised_at=row["raised_at"],
        state=AlertState(row["state"]),
        assignee=row["assignee"],
        note=row["note"],
        issue_url=row["issue_url"],
        recovered_run_id=known(row, "recovered_run_id", "recovered_unknown"),
    )


def event_row(event: AlertEvent) -> dict[str, Any]:
    """A row of `alert_event`."""
    return {
        "alert_id": event.alert_id,
        "kind": event.kind.value,
        "by": event.by,
        "at": event.at,
        "changes": [list(change) for change in event.changes],
        "note": event.note,
    }


def event_from(row: Mapping[str, Any]) -> AlertEvent:
    """The event, from a row of `alert_event`."""
    return AlertEvent(
        alert_id=row["alert_id"],
        kind=EventKind(row["kind"]),
        by=row["by"],
        at=row["at"],
        changes=tuple((name, before, after) for name, before, after in row["changes"]),
        note=row["note"],
    )


def _or_why(name: str, value: str | Unknown, why: str) -> dict[str, str | None]:
    return {name: None, why: value.reason} if isinstance(value, Unknown) else {name: value, why: None}


def _speed_columns(speed: Estimate | Unknown) -> dict[str, Any]:
    if isinstance(speed, Unknown):
        names = ("speed_ratio", "low_ratio", "high_ratio", "confidence")
        return {**dict.fromkeys(names), "speed_unknown": speed.reason}
    return {
        "speed_ratio": speed.ratio,
        "low_ratio": speed.low_ratio,
        "high_ratio": speed.high_ratio,
        "confidence": speed.confidence,
        "speed_unknown": None,
    }


def _speed(row: Mapping[str, Any]) -> Estimate | Unknown:
    if row["speed_ratio"] is None:
        return Unknown(reason=row["speed_unknown"])
    return Estimate(
        ratio=row["speed_ratio"],
        low_ratio=row["low_ratio"],
        high_ratio=row["high_ratio"],
        confidence=row["confidence"],
    )
