"""One side of a gate as its driver sees it: what a worker says, and what becomes of one that says no more."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell import gate_worker, patience, protocol
from pytest_xeonperf.shell.deaths import Death
from pytest_xeonperf.shell.gate_request import Place, Side
from pytest_xeonperf.shell.gate_worker import Worker, WorkerDiedError, WorkerHungError
from pytest_xeonperf.shell.offspring import ChildDiedError
from pytest_xeonperf.shell.patience import Patience

OFFER = say.Offer(version=say.VERSION, models=(), errors=(), foreign=())
LOADED = say.Loaded(cases={}, refused={}, lacking={}, raised={}, item="call", items_per_call=1, foreign=())
NOBODY = Unknown(reason="no variant was running")
COMPILING = protocol.Entering(model="m", variant="woq_int4", stage="compiling")


class Talker:
    """In the place of a child: says what it is given, then dies or says no more."""

    process, progressed = SimpleNamespace(pid=0), True

    def __init__(self, messages, running=NOBODY, *, hangs=False):
        self.messages, self.running, self.told, self.ended, self.hangs = list(messages), running, [], False, hangs

    def speaks_within(self, _patience_s):
        return bool(self.messages) or not self.hangs

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

    def make(*messages, offer=OFFER, **state):
        child = Talker([start.machine, *([offer] if offer else []), *messages], **state)
        monkeypatch.setattr(patience, "processor_s", lambda _pid: {})
        monkeypatch.setattr(gate_worker.Child, "start", lambda *_args, **_keywords: child)
        place = Place(side=Side.HEAD, tree=None, python="python3", import_path=())
        return Worker(place=place, start=start, log=Path(tmp_path / "head.log"), patience=Patience(600)), child

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
    made, _child = worker(running=COMPILING)
    with pytest.raises(WorkerDiedError) as caught:
        made.load(())
    assert caught.value.variant == "woq_int4"


@pytest.mark.parametrize(
    ("ask", "running", "doing", "variant"),
    [
        (lambda worker: worker.begin("test_a.py::test_x"), NOBODY, "in test_a.py::test_x, before its check", ""),
        (lambda worker: worker.load(()), NOBODY, "while loading", ""),
        (lambda worker: worker.load(()), COMPILING, "while compiling woq_int4", "woq_int4"),
        (lambda worker: worker.turn("compiled"), NOBODY, "in a call of compiled", "compiled"),
        (lambda worker: worker.healthy(), NOBODY, "in the canary", ""),
        (lambda worker: worker.release(), NOBODY, "while letting go of the model", ""),
    ],
)
def test_one_that_hangs_is_killed_and_says_what_it_was_doing(worker, ask, running, doing, variant):
    made, child = worker(running=running, hangs=True)
    with pytest.raises(
        WorkerHungError, match=f"the worker of head said nothing for .* {doing}, and was killed"
    ) as caught:
        ask(made)
    assert caught.value.variant == variant
    assert child.ended
    assert not made.children  # the next request starts another


def test_after_its_turn_a_variant_is_not_blamed(worker):
    made, _child = worker(say.Took(duration_ns=5, compiled=False), hangs=True)
    made.turn("compiled")
    with pytest.raises(WorkerHungError) as caught:
        made.healthy()
    assert caught.value.variant == ""


def test_only_calls_in_rounds_teach_how_long_they_take(worker):
    made, _child = worker(say.Needs(memory_bytes=5), LOADED, say.Took(duration_ns=5, compiled=False))
    made.begin("test_a.py::test_x")
    made.load(())
    assert list(made.patience.longest_ns) == []
    made.turn("compiled")
    assert list(made.patience.longest_ns) == ["compiled"]


@pytest.mark.parametrize("offer", [OFFER, None])
def test_one_that_hangs_before_it_has_made_its_offer_ends_the_gate(worker, offer):
    made, child = worker(offer=None, hangs=True)
    child.messages = child.messages if offer else []  # after it was ready, or before
    with pytest.raises(InfrastructureError, match=r"head said nothing for .* while starting and collecting its tests"):
        made.offer()
    assert child.ended


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
