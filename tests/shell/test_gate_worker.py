"""One side of a gate as its driver sees it: what a worker says, and what becomes of one that says no more."""

from pathlib import Path

import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell import gate_worker, protocol
from pytest_xeonperf.shell.deaths import Death
from pytest_xeonperf.shell.gate_request import Place, Side
from pytest_xeonperf.shell.gate_worker import Worker, WorkerDiedError
from pytest_xeonperf.shell.offspring import ChildDiedError

OFFER = say.Offer(version=say.VERSION, models=(), errors=(), foreign=())
LOADED = say.Loaded(cases={}, refused={}, lacking={}, raised={}, item="call", items_per_call=1, foreign=())
NOBODY = Unknown(reason="no variant was running")


class Talker:
    """In the place of a child: says what it is given, then dies."""

    def __init__(self, messages, running=NOBODY):
        self.messages, self.running, self.told, self.ended = list(messages), running, [], False

    def tell(self, message):
        self.told.append(message)

    def hear_ready(self):
        return protocol.Ready(machine=self.hear())

    def hear(self):
        if not self.messages:
            raise ChildDiedError(Death(how="died of SIGBUS", running=self.running, progressed=True))
        return self.messages.pop(0)

    def end(self):
        self.ended = True


@pytest.fixture
def worker(monkeypatch, start, tmp_path):
    """A worker whose child says these messages after it has made its offer."""

    def make(*messages, offer=OFFER, running=NOBODY):
        child = Talker([start.machine, offer, *messages], running)
        monkeypatch.setattr(gate_worker.Child, "start", lambda *_args, **_keywords: child)
        place = Place(side=Side.HEAD, tree=None, python="python3", import_path=())
        return Worker(place=place, start=start, log=Path(tmp_path / "head.log")), child

    return make


def test_what_the_child_says_on_the_way_is_passed_over(worker):
    made, child = worker(protocol.Idle(), say.Needs(memory_bytes=5), protocol.Idle(), LOADED)
    assert made.begin("test_a.py::test_x") == say.Needs(memory_bytes=5)
    assert made.load(("slow",)) == LOADED
    assert child.told == [protocol.RunTest(node_id="test_a.py::test_x", next_node_id=""), say.Build(without=("slow",))]


def test_a_test_that_never_gets_to_its_check_is_no_model(worker):
    made, _child = worker(protocol.TestDone(node_id="test_a.py::test_x"))
    assert made.begin("test_a.py::test_x") == Unknown(reason="test_a.py::test_x came to no check at head")


def test_a_child_that_leaves_its_test_in_the_rounds_is_not_waited_for(worker):
    made, child = worker(protocol.TestDone(node_id="test_a.py::test_x"))
    with pytest.raises(WorkerDiedError, match="left its test in the middle") as caught:
        made.turn("compiled")
    assert caught.value.variant == "compiled"
    assert child.ended
    made, child = worker(protocol.TestDone(node_id="test_a.py::test_x"))
    with pytest.raises(WorkerDiedError) as caught:
        made.healthy()
    assert caught.value.variant == ""


def test_a_death_in_a_turn_is_that_variant_s_and_one_between_turns_is_nobody_s(worker):
    made, _child = worker(say.Took(duration_ns=5, compiled=False))
    assert made.turn("compiled").duration_ns == 5
    with pytest.raises(WorkerDiedError) as caught:
        made.healthy()
    assert caught.value.variant == ""
    made, _child = worker()
    with pytest.raises(WorkerDiedError, match="the worker of head died of SIGBUS") as caught:
        made.turn("compiled")
    assert caught.value.variant == "compiled"


def test_a_death_while_loading_is_of_the_variant_that_was_being_loaded(worker):
    loading = protocol.Entering(model="m", variant="woq_int4", stage="loading")
    made, _child = worker(running=loading)
    with pytest.raises(WorkerDiedError) as caught:
        made.load(())
    assert caught.value.variant == "woq_int4"


@pytest.mark.parametrize(
    ("offer", "message"),
    [
        (say.Offer(version=99, models=(), errors=(), foreign=()), "head speaks another protocol"),
        (protocol.Idle(), "head speaks another protocol"),
        (
            say.Offer(version=say.VERSION, models=(), errors=("suites: E  SyntaxError",), foreign=()),
            "head cannot be collected: suites: E  SyntaxError",
        ),
        (
            say.Offer(version=say.VERSION, models=(), errors=(), foreign=("m from /x/m.py", "n from /x/n.py")),
            "head imports m from /x/m.py and 1 more: the other tree's code",
        ),
    ],
)
def test_an_offer_that_cannot_be_trusted_ends_the_gate(worker, offer, message):
    made, child = worker(offer=offer)
    with pytest.raises(InfrastructureError, match=message):
        made.offer()
    assert child.ended


def test_code_of_the_other_tree_that_a_model_brings_is_found_too(worker):
    foreign = say.Loaded(
        cases={},
        refused={},
        lacking={},
        raised={},
        item="call",
        items_per_call=1,
        foreign=("models from /base/models.py",),
    )
    made, child = worker(foreign)
    with pytest.raises(InfrastructureError, match="head imports models from /base/models"):
        made.load(())
    assert child.ended


def test_an_interpreter_that_is_not_there_is_named(worker, monkeypatch):
    made, _child = worker()

    def no_such_file(*_args, **_keywords):
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(gate_worker.Child, "start", no_such_file)
    with pytest.raises(InfrastructureError, match=r"cannot start the worker of head.*\n.*--head-python"):
        made.offer()
