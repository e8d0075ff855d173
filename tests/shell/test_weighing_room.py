"""Variants are weighed in processes of their own, as many at once as there is room for."""

import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child
from pytest_xeonperf.shell.weighing_room import weigh

BF16 = protocol.Weigh(node_id="a", variant="eager_bf16")
INT8 = protocol.Weigh(node_id="b", variant="woq_int8")


@pytest.fixture
def answering(make_child, machine):
    """Makes a child that is ready, has the answer, and leaves in good order; and the far end of its channel."""

    def make(peak):
        child, theirs = make_child("pass")
        for message in (protocol.Ready(machine=machine), protocol.Weight(peak_rss_bytes=peak), protocol.Goodbye()):
            theirs.send(message)
        return child, theirs

    return make


@pytest.fixture
def hand_out(monkeypatch):
    """Lets these children be the ones that are started, each for the variant at its place; remembers for what."""
    started = []

    def lay(*children):
        def begin(_cls, start, log):
            started.append((start, log))
            return children[int(log.stem.partition("-")[2])]

        monkeypatch.setattr(Child, "start", classmethod(begin))
        return started

    return lay


def test_each_variant_is_weighed_by_a_child_of_its_own_and_log(answering, hand_out, start, tmp_path):
    (first, its_end), (second, far_end) = answering(11), answering(22)
    started = hand_out(first, second)
    wanted = protocol.WantsWeights(wanted=(BF16, INT8), at_once=1)
    assert weigh(wanted, start, tmp_path) == {"eager_bf16": 11, "woq_int8": 22}
    assert [told.purpose for told, _ in started] == [protocol.Purpose.WEIGH] * 2
    assert {log.name for _, log in started} == {"weighing-0.log", "weighing-1.log"}
    assert (its_end.recv(), far_end.recv()) == (BF16, INT8)


def test_the_next_one_gets_ready_while_one_is_weighed_and_holds_no_model_until_then(
    make_child, hand_out, start, tmp_path, monkeypatch
):
    (first, its_end), (second, far_end) = make_child("pass"), make_child("pass")
    hand_out(first, second)
    told, is_ready = threading.Event(), Child.hear_ready

    def in_order(child):
        assert child is first or told.wait(30)
        return is_ready(child)

    monkeypatch.setattr(Child, "hear_ready", in_order)
    with ThreadPoolExecutor(1) as pool:
        weighed = pool.submit(weigh, protocol.WantsWeights(wanted=(BF16, INT8), at_once=1), start, tmp_path)
        its_end.send(protocol.Ready(machine=start.machine))
        assert its_end.recv() == BF16
        told.set()
        far_end.send(protocol.Ready(machine=start.machine))
        assert not far_end.poll(0.5)
        its_end.send(protocol.Weight(peak_rss_bytes=11))
        assert far_end.recv() == INT8
        far_end.send(protocol.Weight(peak_rss_bytes=22))
        assert weighed.result() == {"eager_bf16": 11, "woq_int8": 22}


def test_two_at_once_run_beside_each_other(answering, hand_out, start, tmp_path, monkeypatch):
    hand_out(answering(11)[0], answering(22)[0])
    both = threading.Barrier(2, timeout=30)
    ready = Child.hear_ready

    def meet(child):
        both.wait()  # breaks if the other one never comes
        return ready(child)

    monkeypatch.setattr(Child, "hear_ready", meet)
    assert set(weigh(protocol.WantsWeights(wanted=(BF16, INT8), at_once=2), start, tmp_path).values()) == {11, 22}


def test_one_that_dies_is_no_weight_and_takes_no_other_along(make_child, answering, hand_out, start, tmp_path):
    dead, its_end = make_child("import os; os.kill(os.getpid(), 9)")
    its_end.close()
    hand_out(dead, answering(22)[0])
    peaks = weigh(protocol.WantsWeights(wanted=(BF16, INT8), at_once=1), start, tmp_path)
    assert isinstance(peaks["eager_bf16"], Unknown)
    assert "the weighing process died of SIGKILL" in peaks["eager_bf16"].reason
    assert peaks["woq_int8"] == 22


def _press_ctrl_c():
    """The kernel gives it to the main thread, which waits."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


def test_ctrl_c_ends_every_child_and_starts_no_other(make_child, hand_out, start, request, monkeypatch):
    pairs = [make_child("import time; time.sleep(600)") for _ in range(2)]
    far_ends = {child.process.pid: theirs for child, theirs in pairs}
    started = hand_out(*(child for child, _ in pairs))
    both, ready = threading.Barrier(2, action=_press_ctrl_c, timeout=30), Child.hear_ready

    def wait(child):
        both.wait()
        child.process.wait()
        far_ends[child.process.pid].close()  # as the child's own end would be by now
        return ready(child)

    monkeypatch.setattr(Child, "hear_ready", wait)
    heard_before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is deaf to it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, heard_before))
    with pytest.raises(KeyboardInterrupt):
        weigh(protocol.WantsWeights(wanted=(BF16, INT8, INT8), at_once=2), start, Path(start.directory))
    for thread in threading.enumerate():  # they still close their channels, and so does the end of the test
        if thread.name.startswith("ThreadPoolExecutor"):
            thread.join(30)
    assert len(started) == 2
    assert {child.process.poll() for child, _ in pairs} == {-signal.SIGKILL}
