"""The flat JSON of alerts, for ``xeonperf alerts --json`` and the service: stable names for scripts.

A figure that is not there is null, and the object's ``unknown`` says why, by the name of the field.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.exchange.public import case_fields, ratio, with_reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.alerts import Alert, AlertEvent

LIST_SCHEMA = "xeonperf-alerts/1"
SCHEMA = "xeonperf-alert/1"


def dumps_list(alerts: Sequence[Alert], **more: str) -> str:
    """Alerts in their order, as JSON text; with what else there is to say of the list, by name."""
    document = {"schema": LIST_SCHEMA, "alerts": [alert_entry(alert) for alert in alerts], **more}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def dumps(alert: Alert, events: Sequence[AlertEvent]) -> str:
    """One alert with what happened to it, as JSON text."""
    document = {"schema": SCHEMA, "alert": alert_entry(alert), "events": [event_entry(event) for event in events]}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def alert_entry(alert: Alert) -> dict[str, Any]:
    """One alert; ``latency_ratio`` is after over before, ``speed`` is before over after."""
    return with_reasons(
        {
            "id": alert.id,
            "state": alert.state.value,
            "open": alert.state.open,
            "case_id": alert.case.id,
            **case_fields(alert.case),
            "comparability_class": alert.comparability_class,
            "source": alert.source.value,
            "direction": alert.direction.value,
            "latency_ratio": alert.latency_ratio,
            "speed": ratio(alert.speed),
            "before_ns": alert.before_ns,
            "after_ns": alert.after_ns,
            "run": alert.run_id,
            "since": alert.since,
            "sha_before": alert.sha_before,
            "sha_after": alert.sha_after,
            "raised_at": alert.raised_at,
            "assignee": alert.assignee,
            "note": alert.note,
            "issue_url": alert.issue_url,
            "recovered_run": alert.recovered_run_id,
        }
    )


def event_entry(event: AlertEvent) -> dict[str, Any]:
    """Who did what to an alert, and when."""
    return {
        "kind": event.kind.value,
        "by": event.by,
        "at": event.at,
        "changes": [{"name": name, "before": before, "after": after} for name, before, after in event.changes],
        "note": event.note,
    }
