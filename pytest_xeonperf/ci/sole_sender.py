"""One at a time sends what waits in a folder: two would send it twice, and the later before the earlier."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LOOK_AGAIN_S = 0.05


@contextmanager
def sole_sender(folder: Path, *, patience_s: float = 0.0) -> Iterator[None]:
    """Be the only one who sends from a folder; whoever dies is so no more.

    Args:
        folder: Must be there.
        patience_s: How long to wait for somebody else to be done.

    Raises:
        BlockingIOError: Somebody else still sends.
        OSError: The folder cannot be written, or knows no locks.
    """
    until_s = time.monotonic() + patience_s
    with (folder / ".lock").open("w", encoding="ascii") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until_s:
                    raise
                time.sleep(_LOOK_AGAIN_S)
        yield
