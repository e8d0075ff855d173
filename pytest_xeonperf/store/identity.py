"""Names of runs: unique everywhere without asking anybody, and in the order of time."""

from __future__ import annotations

import secrets
import time
import uuid

_RANDOM_BITS = 74


def new_run_id() -> str:
    """A fresh UUIDv7 as text (RFC 9562, 5.7): sorts by the millisecond in which it was made."""
    return _with_time(time.time_ns() // 1_000_000, secrets.randbits(_RANDOM_BITS))


def _with_time(time_ms: int, randomness: int) -> str:
    above, below = randomness >> 62, randomness & ((1 << 62) - 1)  # 12 and 62 of the random bits
    return str(uuid.UUID(int=time_ms << 80 | 0x7 << 76 | above << 64 | 0b10 << 62 | below))
