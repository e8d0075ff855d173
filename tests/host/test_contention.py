"""What is counted while something runs: real counters of this machine, and the arithmetic between two readings."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from pytest_xeonperf.host import contention
from pytest_xeonperf.host.contention import Reading, between, read_counters
from pytest_xeonperf.records import Contention, Unknown

BEFORE = Reading(at_ns=10, cpus=(0, 1), busy_ns=100, own_ns=40, stolen_ns=5, throttled_ns=7)

ACCOUNTED = 0.8
"""The share of a time that must be seen at least: counters advance in steps, and not all of them at once."""

needs_counters = pytest.mark.skipif(not psutil.LINUX, reason="only Linux counts stolen time")


def test_the_difference_of_two_readings_is_what_happened_in_between():
    after = Reading(at_ns=110, cpus=(0, 1), busy_ns=250, own_ns=90, stolen_ns=8, throttled_ns=9)
    found = between(BEFORE, after)
    assert found == Contention(elapsed_ns=100, cores=2, stolen_ns=3, others_ns=100, throttled_ns=2)
    assert found.share(found.others_ns) == 0.5


def test_counters_that_advance_in_steps_never_make_a_negative_time():
    after = replace(BEFORE, at_ns=11, own_ns=45, stolen_ns=4, throttled_ns=0)
    assert between(BEFORE, after) == Contention(elapsed_ns=1, cores=2, stolen_ns=0, others_ns=0, throttled_ns=0)


def test_no_time_has_no_shares():
    assert Contention(elapsed_ns=0, cores=2, stolen_ns=0, others_ns=0, throttled_ns=0).share(0) == 0.0


def test_a_machine_that_does_not_count_says_so(monkeypatch):
    monkeypatch.setattr(contention.psutil, "cpu_times", lambda percpu=False: [] if percpu else ())
    unknown = read_counters()
    assert isinstance(unknown, Unknown)
    assert between(unknown, BEFORE) == between(BEFORE, unknown) == unknown


@needs_counters
def test_our_own_work_is_none_of_others(monkeypatch):
    cpu = min(os.sched_getaffinity(0))
    monkeypatch.setattr(contention, "usable_cpus", lambda: (cpu,))
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        before, started_ns, spun_ns = read_counters(), time.process_time_ns(), 0
        while spun_ns < 500_000_000:
            spun_ns = time.process_time_ns() - started_ns
        found = between(before, read_counters())
    finally:
        os.sched_setaffinity(0, everywhere)
    assert found.others_ns <= found.elapsed_ns - ACCOUNTED * spun_ns


@needs_counters
def test_another_process_counts_as_others():
    spin = "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: pass"
    neighbour = subprocess.Popen([sys.executable, "-c", spin.format(30)])
    try:
        before, spun_ns = read_counters(), 0
        started_ns = _cpu_ns(neighbour.pid)
        while spun_ns < 500_000_000:
            time.sleep(0.05)
            spun_ns = _cpu_ns(neighbour.pid) - started_ns
        beside = between(before, read_counters())
    finally:
        neighbour.kill()
        neighbour.wait()
    assert beside.others_ns >= ACCOUNTED * spun_ns


@needs_counters
def test_what_a_child_does_is_our_own_where_that_is_asked_for():
    spin = "import time\nend = time.monotonic() + {}\nwhile time.monotonic() < end: pass"
    worker = subprocess.Popen([sys.executable, "-c", spin.format(30)])
    try:
        before, alone = read_counters(with_children=True), read_counters()
        started_ns, spun_ns = _cpu_ns(worker.pid), 0
        while spun_ns < 300_000_000:
            time.sleep(0.05)
            spun_ns = _cpu_ns(worker.pid) - started_ns
        after, alone_after = read_counters(with_children=True), read_counters()
    finally:
        worker.kill()
        worker.wait()
    assert after.own_ns - before.own_ns >= ACCOUNTED * spun_ns + alone_after.own_ns - alone.own_ns
    ended = read_counters(with_children=True)
    assert ended.own_ns >= after.own_ns  # it was waited for: what it did stays our own


def _cpu_ns(pid):
    times = psutil.Process(pid).cpu_times()
    return round((times.user + times.system) * 1e9)
