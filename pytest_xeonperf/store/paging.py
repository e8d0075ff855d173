"""Long lists a page at a time, from new to old: each page says where the next one begins.

The place is that of a run, a result or an alert, not a number of lines to leave out: what comes in meanwhile is newer,
and moves nothing. So whoever goes on to the end has seen all there was, each once, also where runs began at the same
time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.store import alerts, history
from pytest_xeonperf.store.summaries import AlertPage, RunPage, TrendPage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from pytest_xeonperf.alerts import AlertState

_PLACE = re.compile(r"(?P<run>.+)\.(?P<result>[0-9]{1,9})", re.DOTALL)
"""Of a result: several of a case may be in one run."""


def read_run_page(connection: Connection, *, limit: int, branch: str, comparability_class: str, before: str) -> RunPage:
    """The newest runs, newest first; beyond the place that an earlier page ended with, where one is given.

    Raises:
        UsageError: There is no such place.
    """
    found = history.read_runs(
        connection, limit=limit + 1, branch=branch, comparability_class=comparability_class, before="", beyond=before
    )
    return RunPage(runs=found[:limit], older=found[limit - 1].id if len(found) > limit else "")


def read_trend_page(
    connection: Connection, case_id: str, *, limit: int, comparability_class: str, before: str
) -> TrendPage:
    """The newest points of a case, oldest first; beyond the place that an earlier page ended with, where one is given.

    Raises:
        UsageError: There is no such place.
    """
    found = history.read_numbered(
        connection,
        case_id,
        limit=limit + 1,
        comparability_class=comparability_class,
        beyond=_result(before) if before else ("", 0),
    )
    kept = found[-limit:]
    older = f"{kept[0][1].run_id}.{kept[0][0]}" if len(found) > limit else ""
    return TrendPage(points=tuple(point for _, point in kept), older=older)


def read_alert_page(
    connection: Connection,
    *,
    states: Sequence[AlertState],
    case_id: str,
    comparability_class: str,
    limit: int,
    before: str,
) -> AlertPage:
    """Alerts, newest first; beyond the place that an earlier page ended with, where one is given.

    Raises:
        UsageError: There is no such place.
    """
    found = alerts.read_alerts(
        connection,
        states=states,
        case_id=case_id,
        comparability_class=comparability_class,
        limit=limit + 1,
        beyond=before,
    )
    return AlertPage(alerts=found[:limit], older=found[limit - 1].id if len(found) > limit else "")


def _result(place: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(place)
    if found is None:
        raise UsageError(f"{place[:60]!r} is no place in a trend", remedy="say what `older` was in an answer")
    return found["run"], int(found["result"])
