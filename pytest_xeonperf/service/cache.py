"""Pages that were rendered, kept until the history says something new: an answer costs one small query.

What is kept belongs to a state of the history, which is read before the page is: a page may be newer than its state,
and is then made again for nothing, but never older. A page has one nonce for as long as it is kept: nothing can have
been put into it by somebody who knew that nonce, which is drawn after everything in it was read.

They are kept as they are mostly sent: compressed. A page that is out of date is kept too, as the next one may go on
from it.
"""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.service.background import Reach

MOST_BYTES = 64 << 20
"""Of all pages that are kept, compressed."""

_LEVEL = 1
"""Of compression: more takes several times as long, for a tenth less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A page that was rendered.

    Attributes:
        body: In UTF-8.
        policy: Its Content-Security-Policy, with the nonce that is in the page.
        reach: Of the page of a case, so that the next one can go on from it.
    """

    body: bytes
    policy: str
    reach: Reach | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A page as it is kept.

    Attributes:
        state: Of the history, before the page was read.
        packed: Its body through gzip.
        policy: As in `Made`; so is `reach`.
        tag: Its ETag: weak, as what is sent may be compressed or not.
    """

    state: str
    packed: bytes
    policy: str
    reach: Reach | None
    tag: str

    @classmethod
    def of(cls, made: Made, state: str) -> Kept:
        """A page that was rendered just now."""
        digest = hashlib.sha256(made.body).hexdigest()[:32]
        packed = gzip.compress(made.body, _LEVEL, mtime=0)
        return cls(state=state, packed=packed, policy=made.policy, reach=made.reach, tag=f'W/"{digest}"')

    @property
    def body(self) -> bytes:
        """The page itself."""
        return gzip.decompress(self.packed)


class Pages:
    """The pages that were asked for last, of the newest state; threads may share it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._pages: OrderedDict[str, Kept] = OrderedDict()
        self._looking, self._rendering = Lock(), Lock()

    def get(self, path: str, state: str, render: Callable[[Kept | None], Made]) -> Kept:
        """The page of a path, rendered if it is not there for this state; one is rendered at a time.

        Args:
            path: What it is kept under.
            state: Of the history, read just now.
            render: Is given the page as it was, if that is still there; what it raises is passed on.
        """
        with self._rendering:
            found = self._find(path)
            if found and found.state == state:  # another request had it made meanwhile
                return found
            kept = Kept.of(render(found), state)
            self._keep(path, kept)
            return kept

    def find(self, path: str, state: str) -> Kept | None:
        """The page of a path, if it is there for this state."""
        found = self._find(path)
        return found if found and found.state == state else None

    def _find(self, path: str) -> Kept | None:
        with self._looking:
            found = self._pages.get(path)
            if found:
                self._pages.move_to_end(path)
            return found

    def _keep(self, path: str, page: Kept) -> None:
        with self._looking:
            self._pages[path] = page
            self._pages.move_to_end(path)
            while sum(len(kept.packed) for kept in self._pages.values()) > self._most_bytes:
                self._pages.popitem(last=False)
