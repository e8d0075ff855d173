"""The children of one session, one at a time."""

import signal

import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child, ChildDiedError
from pytest_xeonperf.shell.supervisor import Supervisor

ENTERING = protocol.Entering(model="tiny [smoke]", variant="eager_bf16", stage="building")


@pytest.fixture
def make_supervisor(start, tmp_path, monkeypatch):
    """Makes a supervisor whose children are these, in this order."""

    def make(*children):
        left = iter(children)
        monkeypatch.setattr(Child, "start", classmethod(lambda _cls, _start, _log: next(left)))
        return Supervisor(start=start, log=tmp_path / "child.log")

    return make


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


def test_a_child_that_never_gets_ready_does_not_outlive_ctrl_c(make_child, make_supervisor, monkeypatch):
    def interrupted(_child):
        raise KeyboardInterrupt

    child, _ = make_child("import time; time.sleep(600)")
    monkeypatch.setattr(Child, "hear_ready", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_supervisor(child).machine()
    assert child.process.poll() == -signal.SIGKILL
