"""The only clock: how long one call took."""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.workloads.protocol import Step


def time_call_ns(step: Step) -> tuple[int, object]:
    """Nanoseconds of one call and what it returned."""
    started_ns = time.perf_counter_ns()
    output = step()
    return time.perf_counter_ns() - started_ns, output


def now_ns() -> int:
    """Monotonic nanoseconds, for budgets."""
    return time.perf_counter_ns()


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Collect garbage now and not again until the block ends, so that no timed call pays for it."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
