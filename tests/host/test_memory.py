"""What is free goes back to the system."""

import ctypes

import psutil
import pytest

from pytest_xeonperf.host.memory import give_back

MIB = 1 << 20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library has no malloc_trim")
def test_small_blocks_that_are_free_do_not_stay_with_the_process():
    process = psutil.Process()
    blocks = [bytearray(b"x") * 100_000 for _ in range(3000)]
    last = bytearray(b"x") * 100_000  # at the top of the heap: what is below it is not returned by itself
    full = process.memory_info().rss
    blocks.clear()
    give_back()
    assert full - process.memory_info().rss > 200 * MIB
    assert len(last) == 100_000
