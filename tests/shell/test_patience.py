"""Silence that is allowed and silence that is not, on a clock and with processors that a test makes up."""

import os
import signal
import subprocess
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import patience as patience_module
from pytest_xeonperf.shell.patience import ChildHungError, Patience, processor_s

LEAST_S = 900
SECOND_NS = 1_000_000_000


@dataclass
class Worker:
    """In the place of a child: speaks after so many seconds, and works in some of the periods until then.

    Attributes:
        worked_s: In one period after the other; nothing after the last.
    """

    speaks_after_s: float
    worked_s: list[float] = field(default_factory=list)
    silent_s: float = 0.0
    used_s: float = 50.0
    looks: int = 0
    ended: bool = False
    running: Unknown = Unknown(reason="no variant was running")
    progressed: bool = True

    @property
    def process(self):
        return SimpleNamespace(pid=self)

    def speaks_within(self, patience_s):
        if self.looks:
            self.used_s += self.worked_s.pop(0) if self.worked_s else 0.0
        before_s = self.silent_s
        self.silent_s = min(self.speaks_after_s, before_s + patience_s)
        return self.silent_s < before_s + patience_s

    def look(self):
        self.looks += 1
        return {1: self.used_s}

    def end(self):
        self.ended = True


@pytest.fixture
def wait(monkeypatch):
    """Waits for a worker's next word, and gives it back."""
    return lambda worker, patience=None, call_of="": _wait(monkeypatch, worker, patience or Patience(LEAST_S), call_of)


def _wait(monkeypatch, worker, patience, call_of=""):
    monkeypatch.setattr(patience_module, "now_ns", lambda: round(worker.silent_s * SECOND_NS))
    monkeypatch.setattr(patience_module, "processor_s", lambda it: it.look())
    patience.wait(worker, call_of)
    return worker


def hangs(wait, worker, *arguments):
    with pytest.raises(ChildHungError):
        wait(worker, *arguments)
    assert worker.ended
    return worker.silent_s


def test_who_answers_soon_is_not_looked_at(wait):
    assert wait(Worker(speaks_after_s=0.5)).looks == 0


def test_who_is_idle_has_the_patience_and_no_more(wait):
    assert not wait(Worker(speaks_after_s=LEAST_S - 1)).ended
    assert hangs(wait, Worker(speaks_after_s=LEAST_S)) == LEAST_S


def test_who_is_at_work_has_ten_times_the_patience_and_no_more(wait):
    assert not wait(Worker(speaks_after_s=10 * LEAST_S - 1, worked_s=[100] * 10)).ended
    assert hangs(wait, Worker(speaks_after_s=1e9, worked_s=[100] * 99)) == 10 * LEAST_S


def test_who_stops_working_is_not_waited_for_longer_than_who_never_did(wait):
    assert hangs(wait, Worker(speaks_after_s=1e9, worked_s=[100, 100])) == 3 * LEAST_S


@pytest.mark.parametrize(("worked_s", "periods"), [(8, 1), (10, 2)])
def test_a_hundredth_of_a_core_is_work(wait, worked_s, periods):
    assert hangs(wait, Worker(speaks_after_s=1e9, worked_s=[worked_s])) == periods * LEAST_S


def test_processes_that_came_or_went_take_nothing_from_the_work_of_the_others(wait, monkeypatch):
    worker = Worker(speaks_after_s=1e9)
    seen = iter([{1: 50.0, 2: 400.0, 3: 400.0}, {1: 50.0, 3: 1.0, 4: 60.0}])  # 2 has gone, another one is 3 now
    worker.look = lambda: next(seen, {1: 50.0})
    assert hangs(wait, worker) == 2 * LEAST_S


def test_a_call_may_take_ten_times_as_long_as_the_longest_of_its_variant(wait):
    patience = Patience(LEAST_S)
    for call_s in (5, 300, 7):
        wait(Worker(speaks_after_s=call_s), patience, "eager_fp32")
    assert not wait(Worker(speaks_after_s=2999), patience, "eager_fp32").ended
    assert (
        hangs(wait, Worker(speaks_after_s=1e9), Patience(LEAST_S, {"eager_fp32": 300 * SECOND_NS}), "eager_fp32")
        == 3000
    )
    assert hangs(wait, Worker(speaks_after_s=1e9), patience, "compiled_bf16") == LEAST_S


def test_a_call_whose_like_took_no_time_has_the_patience_even_if_it_is_at_work(wait):
    patience = Patience(LEAST_S)
    wait(Worker(speaks_after_s=0.02), patience, "compiled_bf16")
    worker = Worker(speaks_after_s=1e9, worked_s=[100] * 99)
    assert hangs(wait, worker, patience, "compiled_bf16") == LEAST_S


def test_a_variant_s_first_call_is_as_loading(wait):
    assert not wait(Worker(speaks_after_s=5 * LEAST_S, worked_s=[100] * 9), Patience(LEAST_S), "compiled_bf16").ended


def test_it_says_for_how_long(wait):
    with pytest.raises(ChildHungError, match="said nothing for 900 s"):
        wait(Worker(speaks_after_s=1e9))


@given(least_s=st.floats(0.01, 1e5), worked=st.lists(st.booleans(), max_size=12))
def test_nobody_is_killed_sooner_than_the_patience_or_waited_for_longer_than_ten_times(least_s, worked):
    worker = Worker(speaks_after_s=1e9, worked_s=[least_s * at_work for at_work in worked])
    with pytest.MonkeyPatch.context() as monkeypatch, pytest.raises(ChildHungError):
        _wait(monkeypatch, worker, Patience(least_s))
    assert least_s * (1 - 1e-9) <= worker.silent_s <= 10 * least_s * (1 + 1e-9)


def test_what_is_started_by_what_it_has_started_works_for_it():
    process = subprocess.Popen(["sh", "-c", "sh -c '(while :; do :; done) & wait' & wait"], start_new_session=True)
    try:
        while len(before_s := processor_s(process.pid)) < 3:
            pass
        while sum(processor_s(process.pid).values()) <= sum(before_s.values()):
            pass
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert processor_s(process.pid) == {}
