"""Bodies on their way in: as slowly as a line needs, and no more of them in memory at a time than there is room for."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

_LONGEST_PAUSE_S = 30
"""Without a byte: whoever has stopped sending keeps a connection from others."""

_HEAD_START_S, _LEAST_BYTES_PER_S = 60, 16 << 10
"""How slow a line may be: the largest run of all may take half an hour, and no trickle lasts longer."""

_DIGITS = 20
"""Of a length: a server lets no longer one pass."""

_LONGEST_WAIT_S = 45
"""For room: less than clients wait for an answer."""


class Room:
    """Memory for the bodies of all who bring something; used by one event loop.

    It is kept for a whole body before anything of it is read: of many that were half there, none could go on.
    """

    def __init__(self, most_bytes: int, *, small_bytes: int, for_small_bytes: int) -> None:
        """All of it is free.

        Args:
            most_bytes: Of all bodies together.
            small_bytes: A body up to this size is a small one.
            for_small_bytes: What others leave for small ones, so that slow large ones do not keep everybody out.
        """
        self._free_bytes = most_bytes
        self._small_bytes = small_bytes
        self._for_small_bytes = for_small_bytes
        self._given_back = anyio.Event()

    @asynccontextmanager
    async def kept(self, request: Request, most_bytes: int) -> AsyncIterator[None]:
        """Keep room for a body as long as it is said to be, or may be, while the context lasts.

        Raises:
            HTTPException: 413, or 503 if others leave none for long.
        """
        size = _told(request, most_bytes)
        left = 0 if size <= self._small_bytes else self._for_small_bytes
        try:
            with anyio.fail_after(_LONGEST_WAIT_S):
                while size + left > self._free_bytes:
                    await self._given_back.wait()
        except TimeoutError:
            why = "too much is on its way here at the same time"
            raise HTTPException(503, detail=why, headers={"Retry-After": f"{_LONGEST_WAIT_S}"}) from None
        self._free_bytes -= size
        try:
            yield
        finally:
            self._free_bytes += size
            self._given_back.set()
            self._given_back = anyio.Event()


def _told(request: Request, most_bytes: int) -> int:
    """How long a body is said to be; the most there may be of one of which nothing is said.

    Raises:
        HTTPException: 413.
    """
    told = request.headers.get("content-length", "")
    if "transfer-encoding" in request.headers or not told.isdecimal():  # in parts: what else is said does not count
        return most_bytes
    if len(told) > _DIGITS or int(told) > most_bytes:
        raise HTTPException(413, detail=f"more than {most_bytes} bytes")
    return int(told)


async def body(request: Request, most_bytes: int) -> bytearray:
    """The body, read only as long as it is not too large, whatever its header says, and goes on coming.

    Returns:
        Bytes that can be cleared as soon as they are decoded, and are not there twice meanwhile.

    Raises:
        HTTPException: 408 or 413.
    """
    _told(request, most_bytes)
    found, parts, began_s = bytearray(), request.stream(), anyio.current_time()
    while True:
        waited_s = anyio.current_time() - began_s
        part = await _next(parts, _HEAD_START_S + len(found) / _LEAST_BYTES_PER_S - waited_s)
        if part is None:
            return found
        if len(found) + len(part) > most_bytes:
            raise HTTPException(413, detail=f"more than {most_bytes} bytes")
        found += part


async def _next(parts: AsyncIterator[bytes], left_s: float) -> bytes | None:
    """The next part; None after the last.

    Raises:
        HTTPException: 408, if it takes longer than is left, or than a pause may last.
    """
    try:
        with anyio.fail_after(min(left_s, _LONGEST_PAUSE_S)):
            return await anext(parts, None)
    except TimeoutError:
        why = "comes too slowly" if left_s < _LONGEST_PAUSE_S else f"stopped for {_LONGEST_PAUSE_S} s"
        raise HTTPException(408, detail=f"the body {why}") from None
