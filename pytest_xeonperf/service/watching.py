"""Looking for slow-downs in what has come in, when whoever sent it has had the answer."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread

from pytest_xeonperf.ci.alerts import watch_series

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pytest_xeonperf.ci.alerts import News
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.store.repository import Store

_LOG = logging.getLogger("pytest_xeonperf.service")


class Watch:
    """Looks at what runs brought, one look at a time, in a thread that no reader waits for.

    A look takes in the whole of a series, so what comes while one goes on is looked at once afterwards, however many
    runs brought it, and only what is to be looked at is kept meanwhile.
    """

    def __init__(self, store: Store, seen: Callable[[News, str], None]) -> None:
        """Nothing is looked at yet.

        Args:
            store: The history.
            seen: Is told of what is new in it, and when that was seen.
        """
        self._store = store
        self._seen = seen
        self._due: dict[tuple[Case, str], None] = {}
        self._busy = False
        self._thread = anyio.CapacityLimiter(1)

    async def over(self, series: Iterable[tuple[Case, str]]) -> None:
        """Look at cases on classes of machines, or leave it to the look that goes on."""
        self._due |= dict.fromkeys(series)
        if self._busy:
            return
        self._busy = True
        try:
            while self._due:
                due, self._due = self._due, {}
                await to_thread.run_sync(self._look, tuple(due), limiter=self._thread)
        finally:
            self._busy = False

    def _look(self, series: tuple[tuple[Case, str], ...]) -> None:
        """Raise what there is to tell; what goes wrong is logged, and the next run of these cases makes up for it."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            news = watch_series(self._store, series, at=at)
        except Exception as error:  # noqa: BLE001 - told in the log: the answer is out, and the service goes on
            _LOG.error("%d cases were not looked at for alerts: %s", len(series), error, exc_info=error)
            return
        if news.summary:
            self._seen(news, at)
