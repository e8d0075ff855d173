import gc
import time
import weakref

import pytest

from pytest_xeonperf.measure.clock import now_ns, quiet_collector, time_call_ns


def test_a_call_is_timed_and_its_output_comes_along():
    duration_ns, output = time_call_ns(lambda: time.sleep(0.002) or "done")
    assert duration_ns >= 2_000_000
    assert output == "done"


def test_the_clock_of_budgets_goes_forward():
    assert now_ns() <= now_ns()


def test_no_garbage_is_collected_inside_and_the_collector_comes_back():
    assert gc.isenabled()
    with quiet_collector():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_the_collector_comes_back_after_an_exception_too():
    with pytest.raises(ZeroDivisionError), quiet_collector():
        _ = 1 / 0
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with quiet_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_was_garbage_before_is_gone_before_the_first_timed_call():
    class Loop:
        def __init__(self):
            self.me = self

    garbage = weakref.ref(Loop())
    with quiet_collector():
        assert garbage() is None
