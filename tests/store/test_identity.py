"""Names of runs."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.store import identity
from pytest_xeonperf.store.identity import new_run_id

if TYPE_CHECKING:
    import pytest


def test_a_run_id_is_a_uuid_of_version_7_that_knows_its_time() -> None:
    before_ms = time.time_ns() // 1_000_000
    made = uuid.UUID(new_run_id())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before_ms <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times_ns = iter([1_000_000, 2_000_000_000, 1_700_000_000_000_000_000])
    monkeypatch.setattr(identity.time, "time_ns", lambda: next(times_ns))
    made = [new_run_id() for _ in range(3)]
    assert made == sorted(made)


@given(st.integers(0, 2**74 - 1))
def test_no_random_bit_is_lost(randomness: int) -> None:
    made = uuid.UUID(identity._with_time(0, randomness)).int
    assert (made >> 64 & 0xFFF) << 62 | made & ((1 << 62) - 1) == randomness
