import shutil
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Pipe

import psutil
import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol, supervisor
from pytest_xeonperf.shell.supervisor import Child, ChildDiedError, Supervisor

ENTERING = protocol.Entering(ladder="tiny [smoke] over eager_fp32", variant="eager_bf16", stage="building")


@pytest.fixture
def make_child(tmp_path):
    """Makes a child of any program, and the far end of its channel."""
    started = []

    def make(program):
        ours, theirs = Pipe()
        process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
        started.append((process, ours, theirs))
        return Child(process=process, channel=ours, log=tmp_path / "child.log"), theirs

    yield make
    for process, *channels in started:
        process.kill()
        process.wait()
        for channel in channels:
            channel.close()


@pytest.fixture
def start(settings, machine, tmp_path):
    """What children are told: two tests are to be run."""
    return protocol.Start(
        purpose=protocol.Purpose.MEASURE, arguments=(), directory=str(tmp_path), settings=settings,
        selected=("a", "b"), cases=2, barred=(), machine=machine,
    )  # fmt: skip


@pytest.fixture
def make_supervisor(start, tmp_path, monkeypatch):
    """Makes a supervisor whose children are these, in this order."""

    def make(*children):
        left = iter(children)
        monkeypatch.setattr(Child, "start", classmethod(lambda _cls, _start, _log: next(left)))
        return Supervisor(start=start, log=tmp_path / "child.log")

    return make


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


def test_a_child_that_hangs_up_and_stays_is_ended(make_child, monkeypatch):
    monkeypatch.setattr(supervisor, "_PATIENCE_S", 0.2)
    child, theirs = make_child("import time; time.sleep(600)")
    assert _die(child, theirs).how.startswith("died of SIGKILL")
    assert child.process.returncode == -signal.SIGKILL


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


def test_two_children_in_a_row_that_never_get_ready_are_an_infrastructure_error(make_child, make_supervisor):
    children = [make_child("raise SystemExit(7)") for _ in range(2)]
    for _, theirs in children:
        theirs.close()
    with pytest.raises(InfrastructureError, match=r"left with exit code 7.*twice.*\n.*xeonperf doctor"):
        make_supervisor(*(child for child, _ in children)).machine()


def test_one_that_never_gets_ready_is_replaced(make_child, make_supervisor, machine):
    (dead, its_end), (alive, far_end) = (make_child("raise SystemExit(7)"), make_child("import time; time.sleep(9)"))
    its_end.close()
    far_end.send(protocol.Ready(machine=machine))
    assert make_supervisor(dead, alive).machine() == machine


def test_a_child_that_says_goodbye_before_it_is_ready_is_not_ready(make_child, make_supervisor):
    children = [make_child("raise SystemExit(4)") for _ in range(2)]
    for _, theirs in children:
        theirs.send(protocol.Goodbye())
        theirs.close()
    with pytest.raises(InfrastructureError, match="exit code 4"):
        make_supervisor(*(child for child, _ in children)).machine()


def test_a_test_is_over_when_the_child_says_so(make_child, make_supervisor, machine):
    child, theirs = make_child("import time; time.sleep(9)")
    for message in (protocol.Ready(machine=machine), ENTERING, protocol.TestDone(node_id="a")):
        theirs.send(message)
    assert list(make_supervisor(child).run("a", "b")) == [ENTERING]
    assert theirs.recv() == protocol.RunTest(node_id="a", next_node_id="b")


def test_a_test_that_was_reported_is_on_no_ladder_of_a_later_child(make_child, make_supervisor, machine):
    child, theirs = make_child("import time; time.sleep(9)")
    for message in (protocol.Ready(machine=machine), protocol.TestDone(node_id="a")):
        theirs.send(message)
    session = make_supervisor(child)
    list(session.run("a", "b"))
    assert (session.start.selected, session.start.cases) == (("b",), 2)


def test_a_child_that_dies_in_a_test_is_forgotten(make_child, make_supervisor, machine):
    child, theirs = make_child("raise SystemExit(1)")
    theirs.send(protocol.Ready(machine=machine))
    theirs.send(ENTERING)
    theirs.close()
    session = make_supervisor(child)
    with pytest.raises(ChildDiedError):
        list(session.run("a", ""))
    assert session.children == []
    assert session.start.selected == ("a", "b")


@pytest.mark.parametrize(
    "wait",
    [lambda session: session.weigh(protocol.WantsWeight(node_id="a", variant="eager_bf16")), Supervisor.machine],
    ids=["weighing", "getting ready"],
)
def test_a_child_that_nobody_else_knows_of_does_not_outlive_ctrl_c(make_child, make_supervisor, monkeypatch, wait):
    def interrupted(_child):
        raise KeyboardInterrupt

    child, _ = make_child("import time; time.sleep(600)")
    monkeypatch.setattr(Child, "hear_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        wait(make_supervisor(child))
    assert child.process.poll() == -signal.SIGKILL


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
