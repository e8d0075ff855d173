"""What becomes of pytest-benchmark's tests, without running any of them."""

from __future__ import annotations

import subprocess
import sys
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.shell.neighbour import KEPT_ROUNDS, timed_test, timing_of


def test_it_costs_no_import_of_torch_nor_of_pytest_benchmark() -> None:
    program = "import sys, pytest_xeonperf.shell.neighbour; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    assert "pytest_xeonperf.shell.neighbour" in loaded
    assert {"torch", "pytest_benchmark", "sqlalchemy"}.isdisjoint(loaded)


def test_seconds_become_nanoseconds_in_the_order_of_the_rounds() -> None:
    timing = timing_of([0.0021, 0.001, 0.0014])
    assert (timing.durations_ns, timing.median_ns) == ((2_100_000, 1_000_000, 1_400_000), 1_400_000)
    assert (timing.rounds, timing.item) == (3, "call")


@given(st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=30), st.integers(1, 300))
def test_of_very_many_rounds_some_are_kept_in_order_and_the_median_is_that_of_all(
    durations_s: list[float], times: int
) -> None:
    timing = timing_of(durations_s * times)
    assert timing.rounds == len(durations_s) * times
    assert len(timing.durations_ns) == min(timing.rounds, KEPT_ROUNDS)
    assert timing.median_ns == round(median(durations_s * times) * 1e9)


def test_the_rounds_that_are_kept_are_spread_evenly_over_all() -> None:
    timing = timing_of([index / 1e9 for index in range(3 * KEPT_ROUNDS)])
    assert timing.durations_ns == tuple(range(0, 3 * KEPT_ROUNDS, 3))


def test_the_marker_closest_to_the_test_says_what_it_promises(pytester: pytest.Pytester) -> None:
    item = pytester.getitem(
        """
        import pytest
        pytestmark = [pytest.mark.max_latency(s=1), pytest.mark.workload("sam-vit-b", phase="encode")]

        @pytest.mark.max_latency(ms=5)
        def test_func(benchmark): ...
        """
    )
    test = timed_test(item)
    assert test.promises.max_latency_ns == 5_000_000
    assert test.location.endswith(".py:4")


@pytest.mark.parametrize(
    ("marker", "complaint"),
    [
        ("max_latency(minutes=5)", "give exactly one of: ns=, us=, ms=, s="),
        ("max_latency(5)", "max_latency"),
        ("min_speedup(2.0)", "pytest-benchmark has nothing to compare with"),
        ("min_roofline(0.5)", "promise max_latency"),
    ],
)
def test_a_marker_that_cannot_be_meant_is_a_usage_error(pytester: pytest.Pytester, marker: str, complaint: str) -> None:
    item = pytester.getitem(f"import pytest\n@pytest.mark.{marker}\ndef test_func(benchmark): ...")
    with pytest.raises(UsageError) as caught:
        timed_test(item)
    assert complaint in str(caught.value)
