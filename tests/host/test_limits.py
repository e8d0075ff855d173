import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.host import limits
from pytest_xeonperf.records import Limits, Unknown

ABSENT = AttributeError("no operator of that name")
REFUSED = RuntimeError("mkldnn_reorder_linear_weight: bf16 path needs a cpu with avx512bw, avx512vl and avx512dq")


@given(st.integers(0, 1 << 30), st.integers(1 << 24, 1 << 42))
def test_the_stream_outgrows_the_cache_or_leaves_memory_alone(cache_bytes, available_bytes):
    size_bytes = limits.stream_bytes(cache_bytes, available_bytes)
    assert size_bytes >= 4 * cache_bytes or size_bytes <= available_bytes // 8
    assert (1 << 20) <= size_bytes <= max(1 << 28, 4 * cache_bytes)


@pytest.fixture
def torch(monkeypatch):
    """With which limits are found in a moment: the shapes are tiny."""
    monkeypatch.setattr(limits, "_SIZES", (64, 128))
    monkeypatch.setattr(limits, "stream_bytes", lambda *_: 1 << 20)
    return pytest.importorskip("torch")


def refuse_with(error):
    def refuse(*_, **__):
        raise error

    return refuse


def test_every_limit_is_found_on_tiny_shapes(torch):
    found = limits.measure_limits()
    assert min(found.read_bytes_per_s, found.fp32_flop_per_s, found.bf16_flop_per_s, found.int8_op_per_s) > 0


@pytest.mark.parametrize("operator", ["_reorder_linear_weight", "_linear_pointwise"])
@pytest.mark.parametrize("error", [REFUSED, ABSENT])
def test_where_prepacked_weights_are_refused_the_plain_kernel_counts(torch, monkeypatch, operator, error):
    monkeypatch.setattr(torch.ops.mkldnn, operator, refuse_with(error))
    found = limits.measure_limits()
    assert isinstance(found, Limits)
    assert found.bf16_flop_per_s > 0


@pytest.mark.parametrize("error", [REFUSED, ABSENT])
def test_where_nothing_multiplies_int8_the_limits_are_unknown_and_say_why(torch, monkeypatch, error):
    monkeypatch.setattr(torch, "_int_mm", refuse_with(error))
    assert limits.measure_limits() == Unknown(reason=f"no INT8 GEMM runs here: {error}")


def test_an_operator_that_torch_was_built_without_is_no_crash(torch, monkeypatch):
    monkeypatch.delattr(torch, "_int_mm")
    found = limits.measure_limits()
    assert isinstance(found, Unknown)
    assert "_int_mm" in found.reason


def test_a_size_that_no_kernel_takes_ends_the_search_with_what_was_found(monkeypatch):
    def only_small(size):
        return (lambda: None,) if size == 10 else (refuse_with(REFUSED),)

    monkeypatch.setattr(limits, "_SIZES", (10, 20))
    found = limits._peak(only_small)
    assert isinstance(found, float)
    assert found > 0


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
