"""Pages that were rendered, kept until the history says something new: an answer costs one small query.

What is kept belongs to a state of the history, which is read before the page is: a page may be newer than its state,
and is then made again for nothing, but never older. A page has one nonce for as long as it is kept: nothing can have
been put into it by somebody who knew that nonce, which is drawn after everything in it was read.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES = 64 << 20
"""Of all pages that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A page as it is sent.

    Attributes:
        state: Of the history, before the page was read.
        policy: Its Content-Security-Policy, with the nonce that is in the page.
    """

    state: str
    body: bytes
    policy: str

    @property
    def tag(self) -> str:
        """The page's ETag."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'


class Pages:
    """The pages that were asked for last, of the newest state; threads may share it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._pages: OrderedDict[str, tuple[Kept, str]] = OrderedDict()
        self._looking, self._rendering = Lock(), Lock()

    def get(self, path: str, state: str, render: Callable[[], tuple[bytes, str]]) -> tuple[Kept, str]:
        """The page of a path with its tag, rendered if it is not there for this state; one is rendered at a time.

        Args:
            path: What it is kept under.
            state: Of the history, read just now.
            render: Gives body and policy; what it raises is passed on.
        """
        found = self._find(path, state)
        if found:
            return found[0]
        with self._rendering:
            found = self._find(path, state)  # another request may have had it made meanwhile
            if found:
                return found[0]
            body, policy = render()
            made = Kept(state=state, body=body, policy=policy)
            self._keep(path, (made, made.tag))
            return made, made.tag

    def _find(self, path: str, state: str) -> list[tuple[Kept, str]]:
        with self._looking:
            found = self._pages.get(path)
            if found is None or found[0].state != state:
                return []
            self._pages.move_to_end(path)
            return [found]

    def _keep(self, path: str, page: tuple[Kept, str]) -> None:
        with self._looking:
            self._pages[path] = page
            self._pages.move_to_end(path)
            while sum(len(kept.body) for kept, _tag in self._pages.values()) > self._most_bytes:
                self._pages.popitem(last=False)
