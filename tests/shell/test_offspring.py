"""A measuring child as its session sees it: real processes that die in every way."""

import shutil
import signal
import sys
import time
from dataclasses import replace
from itertools import chain, cycle
from types import SimpleNamespace

import psutil
import pytest

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import offspring, protocol
from pytest_xeonperf.shell.offspring import Child, ChildDiedError

ENTERING = protocol.Entering(model="tiny [smoke]", variant="eager_bf16", stage="building")


def _die(child, theirs):
    theirs.close()
    with pytest.raises(ChildDiedError) as died:
        child.hear()
    return died.value.death


@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("import os; os.kill(os.getpid(), 9)", "died of SIGKILL (likely the kernel's out-of-memory killer"),
        ("import os; os.kill(os.getpid(), 4)", "died of SIGILL (likely an instruction that is advertised"),
        ("import os; os.abort()", "died of SIGABRT (likely an assertion in native code)"),
        ("import os; os.kill(os.getpid(), 15)", "died of SIGTERM"),
        ("import os; os._exit(3)", "left with exit code 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)", "died of "),
    ],
    ids=["SIGKILL", "SIGILL", "SIGABRT", "SIGTERM", "exit", "real-time signal"],
)
def test_a_death_says_how(make_child, program, how):
    assert _die(*make_child(program)).how.startswith(how)


def test_a_death_repeats_the_last_words_that_mean_something(make_child, tmp_path):
    (tmp_path / "child.log").write_text("loading\nRuntimeError: could not create a primitive\n  ^^^^\n")
    assert "last words: RuntimeError: could not create a primitive" in _die(*make_child("raise SystemExit(1)")).how


def test_the_last_words_of_an_earlier_child_are_not_put_into_the_mouth_of_the_next(start, tmp_path, monkeypatch):
    (tmp_path / "child.log").write_text("RuntimeError: of an earlier child\n")
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # leaves at once, and without a word
    with pytest.raises(ChildDiedError) as died:
        Child.start(start, tmp_path / "child.log").hear()
    assert died.value.death.how == "left with exit code 1"


@pytest.mark.parametrize("purpose", list(protocol.Purpose))
def test_only_where_a_child_weighs_nothing_is_timed(start, tmp_path, monkeypatch, purpose):
    prepared = []

    def prepare(_remedy, _threads, *, timed):
        prepared.append(timed)
        return {}

    monkeypatch.setattr(offspring, "prepare", prepare)
    Child.start(replace(start, purpose=purpose), tmp_path / "child.log").kill()
    assert prepared == [purpose is not protocol.Purpose.WEIGH]


def test_a_child_that_hangs_up_and_stays_is_ended(make_child, monkeypatch):
    monkeypatch.setattr(offspring, "_PATIENCE_S", 0.2)
    child, theirs = make_child("import time; time.sleep(600)")
    assert _die(child, theirs).how.startswith("died of SIGKILL")
    assert child.process.returncode == -signal.SIGKILL


def test_a_child_that_speaks_is_heard_and_one_that_does_not_has_its_time(make_child, monkeypatch):
    monkeypatch.setattr(offspring, "_WAIT_S", 0.01)
    child, theirs = make_child("import time; time.sleep(600)")
    assert not child.speaks_within(0.05)
    theirs.send(ENTERING)
    assert child.speaks_within(600)
    assert child.hear() == ENTERING


def test_time_that_nobody_could_have_spoken_in_does_not_count(tmp_path):
    waits = []
    channel = SimpleNamespace(poll=waits.append)
    child = Child(process=SimpleNamespace(poll=lambda: None), channel=channel, log=tmp_path / "child.log")
    assert not child.speaks_within(3.5)
    assert waits == [1.0, 1.0, 1.0, 0.5]  # whatever clocks say: a machine that was stopped in one has lost one


def test_a_child_whose_own_children_hold_its_channel_is_dead_all_the_same(make_child, monkeypatch):
    monkeypatch.setattr(offspring, "_WAIT_S", 0.01)
    child, theirs = make_child("raise SystemExit(7)")
    theirs.send(ENTERING)
    child.process.wait()
    assert child.speaks_within(5)
    assert child.hear() == ENTERING
    assert child.speaks_within(5)
    with pytest.raises(ChildDiedError, match="left with exit code 7"):
        child.hear()
    child.end()


def test_what_a_child_says_just_before_it_dies_is_heard(tmp_path):
    said = chain([False], cycle([True]))  # it spoke and died between two looks
    channel = SimpleNamespace(poll=lambda *_: next(said), close=lambda: pytest.fail("hung up"))
    child = Child(process=SimpleNamespace(poll=lambda: 0), channel=channel, log=tmp_path / "child.log")
    assert child.speaks_within(600)


def test_a_child_that_cannot_be_killed_is_left_to_the_kernel(make_child, monkeypatch):
    monkeypatch.setattr(offspring, "_PATIENCE_S", 0.01)
    monkeypatch.setattr(offspring.os, "killpg", lambda *_: None)
    child, theirs = make_child("import time; time.sleep(20)")
    child.kill()
    assert child.process.poll() is None
    assert _die(child, theirs).how.startswith("died of SIGKILL")


def test_a_death_names_what_the_child_last_said_it_was_busy_with(make_child):
    child, theirs = make_child("raise SystemExit(1)")
    theirs.send(ENTERING)
    assert child.hear() == ENTERING
    assert _die(child, theirs).running == ENTERING


@pytest.mark.parametrize("last", [protocol.Idle(), protocol.TestDone(node_id="x")], ids=["answered", "test done"])
def test_once_the_engine_has_answered_or_a_test_is_done_nothing_is_running(make_child, last):
    child, theirs = make_child("raise SystemExit(1)")
    for message in (ENTERING, last):
        theirs.send(message)
        child.hear()
    assert isinstance(_die(child, theirs).running, Unknown)


def test_a_child_is_not_progressing_until_it_says_something(make_child):
    assert not _die(*make_child("raise SystemExit(1)")).progressed


def test_killing_ends_what_the_child_has_started_too(make_child, tmp_path):
    marker = tmp_path / "grandchild"
    program = f"""
import subprocess, sys, time, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path({str(marker)!r}).write_text(str(child.pid))
time.sleep(600)
"""
    child, _ = make_child(program)
    while not marker.exists() or not marker.read_text():
        time.sleep(0.02)
    child.kill()
    grandchild = int(marker.read_text())
    time.sleep(0.2)
    assert not psutil.pid_exists(grandchild) or psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE
