"""How often somebody may ask: a bucket of permits for each token or address, which fills as time goes by.

In memory, so that each process counts for itself and a restart forgets. Nobody's names fill the memory: beyond a number
of buckets the one used longest ago is dropped, as one that has filled again says nothing.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

READS, INGESTS, FAILURES = 600, 120, 10
"""A minute: of pages and figures, of runs, and of tokens that are none."""

_UNKNOWN = 401
_S_PER_MINUTE = 60
_MOST_BUCKETS = 10_000
_LONGEST_NAME = 64
_NETWORK_BITS = 64
"""Of an IPv6 address: what one customer has; a limit on whole addresses would be none."""


class Budget:
    """Permits for one kind of request.

    Attributes:
        per_minute: How many a bucket gets in a minute and holds at most; 0 for no limit.
    """

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._lock = Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # permits left, and at what time

    def spend(self, who: str) -> float:
        """Take a permit, and give 0; if there is none, how long it takes until there is one."""
        if not self.per_minute:
            return 0.0
        with self._lock:
            level = self._level(who)
            missing_s = self._missing_s(level)
            if not missing_s:
                self._buckets[who] = (level - 1, self._clock())
                self._buckets.move_to_end(who)
                if len(self._buckets) > _MOST_BUCKETS:
                    self._buckets.popitem(last=False)
            return missing_s

    def _level(self, who: str) -> float:
        now = self._clock()
        left, then = self._buckets.get(who, (self.per_minute, now))
        return min(self.per_minute, left + (now - then) * self.per_minute / _S_PER_MINUTE)

    def _missing_s(self, level: float) -> float:
        return max(0.0, (1 - level) * _S_PER_MINUTE / self.per_minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """What everybody may do: reading, bringing runs, and being wrong about a token."""

    reads: Budget = field(default_factory=lambda: Budget(READS))
    ingests: Budget = field(default_factory=lambda: Budget(INGESTS))
    failures: Budget = field(default_factory=lambda: Budget(FAILURES))

    @contextmanager
    def trying(self, request: Request) -> Iterator[None]:
        """While it is looked at what a request says of itself: who is often wrong about a token has to wait.

        The token is looked at first: whoever has a good one shares an address with others, who may be wrong.

        Raises:
            HTTPException: 429; or 401 and 403, passed on.
        """
        try:
            yield
        except HTTPException as refused:
            if "authorization" in request.headers:
                # else the token is good, for something else
                budget = self.failures if refused.status_code == _UNKNOWN else self.reads
                require_permit(budget.spend(address_of(request)))
            raise


def require_permit(wait_s: float) -> None:
    """Let pass who need not wait.

    Raises:
        HTTPException: 429 with the seconds to wait.
    """
    if wait_s:
        raise HTTPException(
            429, detail=f"too many requests: again in {ceil(wait_s)} s", headers={"Retry-After": str(ceil(wait_s))}
        )


def address_of(request: Request) -> str:
    """Where a request comes from, as far as that tells one client from another."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host[:_LONGEST_NAME]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address.packed, _NETWORK_BITS), strict=False))
    return str(address)
