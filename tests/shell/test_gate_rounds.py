"""The rounds of a gate: everybody of both sides once a round, whatever the workers do."""

from dataclasses import dataclass, field

import pytest

from pytest_xeonperf.judge.change import ChangeRule, Times
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.measure.rounds import Effort
from pytest_xeonperf.records import Case, Metric, Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell import gate_rounds
from pytest_xeonperf.shell.gate_request import Side
from pytest_xeonperf.shell.gate_rounds import Model, measure
from pytest_xeonperf.shell.gate_worker import WorkerDiedError

MODEL = Model(
    label="net/forward [quick]", node_ids={Side.BASE: "test_net.py::test_a", Side.HEAD: "test_net.py::test_b"}
)
RULE = ChangeRule(tolerance=0.02, rates=levels(0.05, 1))


def case(variant, over="eager_fp32"):
    return Case(workload="net", phase="forward", preset="quick", variant=variant, metric=Metric.LATENCY, over=over)


@dataclass
class Place:
    side: Side


@dataclass
class Desk:
    """A worker without a process: what its variants take, and what happens at which turn.

    Attributes:
        duration_ns: Of a call, by variant.
        troubles: What a turn gives in place of its time, by variant and number of the turn.
        log: Everything that was asked of both sides, in order.
    """

    side: Side
    log: list[tuple[str, ...]]
    duration_ns: dict[str, int] = field(default_factory=lambda: {"eager_fp32": 1000, "compiled": 100})
    memory_bytes: int | Unknown = 1
    healths: list[bool] = field(default_factory=list)
    troubles: dict[tuple[str, int], object] = field(default_factory=dict)
    turns: dict[str, int] = field(default_factory=dict)

    def begin(self, node_id):
        self.log.append((self.side, "begin", node_id))
        return say.Needs(memory_bytes=self.memory_bytes)

    def load(self, without):
        names = [name for name in self.duration_ns if name not in without]
        cases = {name: () if name == "eager_fp32" else (case(name),) for name in names}
        self.log.append((self.side, "load"))
        return say.Loaded(cases=cases, failed={}, item="image", items_per_call=1, foreign=())

    def turn(self, variant):
        self.log.append((self.side, variant))
        number = self.turns[variant] = self.turns.get(variant, 0) + 1
        trouble = self.troubles.get((variant, number))
        if isinstance(trouble, Exception):
            raise trouble
        return trouble or say.Took(duration_ns=self.duration_ns[variant], compiled=False)

    def healthy(self):
        return self.healths.pop(0) if self.healths else True

    def release(self):
        self.log.append((self.side, "release"))

    def end(self):
        self.log.append((self.side, "end"))


class Silence:
    def say(self, words):
        """Nobody waits."""

    def show(self, words):
        """Nobody waits."""


@pytest.fixture
def desks(monkeypatch):
    monkeypatch.setattr(gate_rounds, "_PAUSE_S", 0)
    log = []
    return {side: Desk(side=side, log=log) for side in Side}


def run(desks, only=frozenset(), **effort):
    return measure(MODEL, desks, only=only, rule=RULE, effort=Effort(**effort), seed=3, talk=Silence())


def turns_of(desks):
    return [entry for entry in desks[Side.HEAD].log if entry[1] in {"eager_fp32", "compiled"}]


def test_each_round_has_everybody_of_both_sides_once_in_random_order(desks):
    found = run(desks)
    turns = turns_of(desks)
    rounds = [turns[start : start + 4] for start in range(0, len(turns), 4)]
    everybody = {(side, name) for side in Side for name in ("eager_fp32", "compiled")}
    assert len(rounds) == 6
    assert all(set(each) == everybody for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1
    assert found.times("compiled") == Times(base_ns=(100,) * 6, head_ns=(100,) * 6)
    assert desks[Side.HEAD].log[:2] == [
        (Side.BASE, "begin", "test_net.py::test_a"),
        (Side.HEAD, "begin", "test_net.py::test_b"),
    ]


def test_a_decided_variant_leaves_and_its_baseline_stays_as_long_as_anybody_needs_it(desks):
    for desk in desks.values():
        desk.duration_ns["odd"] = 500
    for number in range(1, 40):  # now faster, now slower: it stays open
        desks[Side.HEAD].troubles["odd", number] = say.Took(duration_ns=400 if number % 2 else 600, compiled=False)
    found = run(desks, max_rounds=12)
    counts = {name: len(sides[Side.HEAD]) for name, sides in found.durations_ns.items()}
    assert counts == {"eager_fp32": 12, "compiled": 6, "odd": 12}


def test_only_what_matters_is_measured_again(desks):
    for desk in desks.values():
        desk.duration_ns["other"] = 500
    assert set(run(desks, only=frozenset({"compiled", "eager_fp32"})).durations_ns) == {"eager_fp32", "compiled"}


def test_a_disturbed_round_is_voided_and_redone(desks):
    desks[Side.BASE].healths = [True, True, False, True]
    found = run(desks)
    assert found.voided == 2  # the round before the bad song, and the one after
    assert len(found.durations_ns["compiled"][Side.HEAD]) == 6


def test_a_variant_that_only_one_side_has_is_left_out(desks):
    desks[Side.HEAD].duration_ns["new"] = 5
    assert set(run(desks).durations_ns) == {"eager_fp32", "compiled"}


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (say.Raised(reason="ValueError: no"), "ValueError: no"),
        (say.Took(duration_ns=5, compiled=True), "it compiles anew while it is timed"),
    ],
)
def test_a_variant_that_gets_into_trouble_leaves_alone(desks, trouble, reason):
    desks[Side.HEAD].troubles["compiled", 3] = trouble
    found = run(desks)
    assert found.failed == {(Side.HEAD, "compiled"): reason}
    assert set(found.durations_ns) == {"eager_fp32"}
    assert len(found.durations_ns["eager_fp32"][Side.BASE]) == 6


def test_a_variant_that_kills_its_worker_is_left_out_and_the_rounds_begin_again(desks):
    desks[Side.HEAD].troubles["compiled", 2] = WorkerDiedError(Place(Side.HEAD), "compiled", "died of SIGSEGV")
    found = run(desks)
    assert found.killed == {(Side.HEAD, "compiled")}
    assert found.failed == {(Side.HEAD, "compiled"): "killed its worker, which died of SIGSEGV"}
    assert len(found.durations_ns["eager_fp32"][Side.BASE]) == 6
    assert desks[Side.HEAD].log.count((Side.BASE, "end")) == 1


def test_a_worker_that_dies_of_nothing_it_ran_ends_the_model(desks):
    desks[Side.BASE].troubles["eager_fp32", 1] = WorkerDiedError(Place(Side.BASE), "", "died of SIGKILL")
    assert run(desks) == Unknown(reason="the worker of base died of SIGKILL")


def test_where_memory_has_room_for_one_side_they_take_turns(desks, monkeypatch):
    monkeypatch.setattr(gate_rounds, "_have_room", lambda _needed: False)
    found = run(desks)
    assert len(found.durations_ns["compiled"][Side.BASE]) == 6
    loaded = set()
    for side, what, *_ in desks[Side.HEAD].log:
        if what == "load":
            loaded.add(side)
        elif what == "end":
            loaded.discard(side)
        assert len(loaded) <= 1
    assert desks[Side.HEAD].log.count((Side.HEAD, "load")) == 4  # one for two rounds: who is loaded begins the next


def test_what_does_not_fit_twice_is_not_loaded_twice(desks):
    for desk in desks.values():
        desk.memory_bytes = 1 << 60
    run(desks)
    assert desks[Side.HEAD].log.count((Side.BASE, "load")) > 1


def test_a_test_without_a_check_is_no_measurement(desks):
    desks[Side.BASE].begin = lambda _node_id: Unknown(reason="test_a came to no check at base")
    assert run(desks) == Unknown(reason="test_a came to no check at base")


def test_the_budget_ends_what_is_undecided(desks):
    for number in range(1, 40):
        duration_ns = 90 if number % 2 else 110
        desks[Side.HEAD].troubles["compiled", number] = say.Took(duration_ns=duration_ns, compiled=False)
    assert len(run(desks, budget_ns=0).durations_ns["compiled"][Side.HEAD]) == 6
