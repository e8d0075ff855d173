import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.host import limits


@given(st.integers(0, 1 << 30), st.integers(1 << 24, 1 << 42))
def test_the_stream_outgrows_the_cache_or_leaves_memory_alone(cache_bytes, available_bytes):
    size_bytes = limits.stream_bytes(cache_bytes, available_bytes)
    assert size_bytes >= 4 * cache_bytes or size_bytes <= available_bytes // 8
    assert (1 << 20) <= size_bytes <= max(1 << 28, 4 * cache_bytes)


def test_every_limit_is_found_on_tiny_shapes(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(limits, "_SIZES", (64, 128))
    monkeypatch.setattr(limits, "stream_bytes", lambda *_: 1 << 20)
    found = limits.measure_limits()
    assert min(found.read_bytes_per_s, found.fp32_flop_per_s, found.bf16_flop_per_s, found.int8_op_per_s) > 0


def test_a_peak_is_the_fastest_kernel_of_all_sizes(monkeypatch):
    times_ns = {"slow": 2_000, "fast": 1_000}
    monkeypatch.setattr(limits, "_SIZES", (10, 20))
    monkeypatch.setattr(limits, "_fastest_ns", lambda call: times_ns[call])
    assert limits._peak(lambda _size: ("slow", "fast")) == pytest.approx(2 * 20**3 / 1e-6)


def test_sizes_end_where_a_call_takes_long_enough(monkeypatch):
    asked = []
    monkeypatch.setattr(limits, "_fastest_ns", lambda _call: limits._ENOUGH_NS + 1)
    limits._peak(lambda size: asked.append(size) or ("call",))
    assert asked == [limits._SIZES[0]]
