"""Looking for slow-downs in what has come in, when whoever sent it has had the answer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pytest_xeonperf.ci.alerts import watch_run

if TYPE_CHECKING:
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

_LOG = logging.getLogger("pytest_xeonperf.service")


def watched(store: Store, run: Run) -> None:
    """Raise the alerts of a run; what goes wrong is logged, and the next run of these cases makes up for it."""
    try:
        line = watch_run(store, run, at=datetime.now(UTC).isoformat(timespec="seconds")).line
    except Exception as error:  # noqa: BLE001 - told in the log: the answer is out, and the service goes on
        _LOG.error("run %s was not looked at for alerts: %s", run.id, error, exc_info=error)
    else:
        if line:
            _LOG.info("run %s: %s", run.id, line)
