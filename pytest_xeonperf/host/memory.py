"""Memory that this process no longer needs."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Collect garbage, and let the C library return what is free to the system.

    glibc keeps free blocks below its threshold for mapping, which grows to 32 MiB: most layers of most models. A large
    model that is gone would still be counted against those that come after it, and could not be used by larger layers.
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
