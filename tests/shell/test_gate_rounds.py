"""The rounds of a gate: everybody of both sides once a round, whatever the workers do."""

from dataclasses import dataclass, field, replace

import pytest

from pytest_xeonperf.judge.change import ChangeRule, Times
from pytest_xeonperf.judge.looks import looks
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.measure import pace
from pytest_xeonperf.measure.pace import Effort
from pytest_xeonperf.records import Case, Metric, Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell import gate_rounds, gate_table
from pytest_xeonperf.shell.gate_request import Side
from pytest_xeonperf.shell.gate_rounds import Trouble, measure
from pytest_xeonperf.shell.gate_table import Model, NotMeasured
from pytest_xeonperf.shell.gate_worker import WorkerDiedError, WorkerHungError

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
    items_per_call: int = 1
    refused: dict[str, str] = field(default_factory=dict)
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
        return say.Loaded(
            cases=cases,
            refused=self.refused,
            lacking={},
            raised={},
            item="image",
            items_per_call=self.items_per_call,
            foreign=(),
        )

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


def run(desks, only=frozenset(), rule=RULE, **effort):
    return measure(MODEL, desks, only=only, rule=rule, effort=Effort(**effort), seed=3, talk=Silence())


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


def test_it_keeps_the_seed_and_whose_turn_it_was_when(desks):
    found = run(desks)
    assert (found.seed, found.in_turns) == (3, False)
    turns = turns_of(desks)
    for number, pair in enumerate(found.pairs["compiled"]):
        order = turns[4 * number : 4 * number + 4]
        assert order[pair.baseline_position] == (Side.BASE, "compiled")
        assert order[pair.candidate_position] == (Side.HEAD, "compiled")


def test_what_else_used_the_cores_is_read_around_the_rounds(desks, monkeypatch):
    readings = [1, 2]
    monkeypatch.setattr(gate_rounds, "read_counters", lambda *, with_children: (readings.pop(0), with_children))
    monkeypatch.setattr(gate_rounds, "between", lambda before, after: (before, after, len(turns_of(desks))))
    assert run(desks).contention == ((1, True), (2, True), 24)


def test_a_decided_variant_leaves_and_its_baseline_stays_as_long_as_anybody_needs_it(desks):
    for desk in desks.values():
        desk.duration_ns["odd"] = 500
    for number in range(1, 40):  # now faster, now slower: it stays open
        desks[Side.HEAD].troubles["odd", number] = say.Took(duration_ns=400 if number % 2 else 600, compiled=False)
    found = run(desks, max_rounds=12)
    counts = {name: len(pairs) for name, pairs in found.pairs.items()}
    assert counts == {"eager_fp32": 12, "compiled": 6, "odd": 12}


def test_what_is_slower_leaves_as_soon_as_the_rule_says_so_and_the_rest_go_on(desks):
    first, second = looks(0.05, 1, tolerance=0.02, fewest_pairs=6)
    desks[Side.HEAD].duration_ns["compiled"] = 110
    counts = [{name: len(pairs) for name, pairs in run(desks, rule=rule).pairs.items()} for rule in (first, second)]
    assert counts == [{"compiled": 5, "eager_fp32": 6}, {"compiled": 3, "eager_fp32": 6}]


def test_only_what_matters_is_measured_again(desks):
    for desk in desks.values():
        desk.duration_ns["other"] = 500
    assert set(run(desks, only=frozenset({"compiled"})).pairs) == {"eager_fp32", "compiled"}


def test_a_baseline_that_nobody_asks_about_leaves_with_the_last_of_its_variants(desks):
    for number in range(1, 40):  # now faster, now slower: by itself it would stay
        desks[Side.HEAD].troubles["eager_fp32", number] = say.Took(duration_ns=900 + number % 2 * 200, compiled=False)
    found = run(desks, only=frozenset({"compiled"}), max_rounds=30)
    assert {name: len(pairs) for name, pairs in found.pairs.items()} == {"eager_fp32": 6, "compiled": 6}


def test_a_disturbed_round_is_voided_and_redone(desks):
    desks[Side.BASE].healths = [True, True, False, True]
    found = run(desks)
    assert (found.voided, found.disturbed) == (2, 0)  # the round before the bad song, and the one after
    assert [pair.round_index for pair in found.pairs["compiled"]] == [0, 3, 4, 5, 6, 7]


def test_a_disturbed_round_that_spends_the_budget_is_kept(desks, monkeypatch):
    monkeypatch.setattr(pace, "now_ns", lambda: len(turns_of(desks)))
    for number in range(1, 40):  # now faster, now slower: it stays open
        desks[Side.HEAD].troubles["compiled", number] = say.Took(duration_ns=90 if number % 2 else 110, compiled=False)
    desks[Side.BASE].healths = [True] * 7 + [False]
    found = run(desks, budget_ns=4 * 6 + 1)  # of two variants on two sides: spent in the seventh round
    assert (found.voided, found.disturbed) == (0, 1)
    assert len(found.pairs["compiled"]) == 7


def test_a_variant_that_only_one_side_has_is_left_out_and_noted(desks):
    desks[Side.HEAD].duration_ns["new"] = 5
    desks[Side.BASE].duration_ns["old"] = 5
    found = run(desks)
    assert set(found.pairs) == {"eager_fp32", "compiled"}
    assert found.missing == {"new": Side.BASE, "old": Side.HEAD}


def test_calls_that_do_another_amount_of_work_are_not_compared(desks):
    desks[Side.HEAD].items_per_call = 4
    assert run(desks) == NotMeasured(reason="a call is 1 image at base and 4 image at head", alike=False)


@pytest.mark.parametrize(
    ("trouble", "reason", "own"),
    [
        (say.Raised(reason="ValueError: no"), "ValueError: no", True),
        (say.Took(duration_ns=5, compiled=True), "it compiles anew while it is timed", True),
        (say.Took(duration_ns=0, compiled=False), "a call took 0 ns: the clock went backwards", False),
        (say.Took(duration_ns=-3, compiled=False), "a call took -3 ns: the clock went backwards", False),
    ],
)
def test_a_variant_that_gets_into_trouble_leaves_alone(desks, trouble, reason, own):
    desks[Side.HEAD].troubles["compiled", 3] = trouble
    found = run(desks)
    assert found.troubles == {(Side.HEAD, "compiled"): Trouble(reason=reason, own=own)}
    assert set(found.pairs) == {"eager_fp32"}
    assert len(found.pairs["eager_fp32"]) == 6


def test_a_variant_that_kills_its_worker_is_left_out_and_the_rounds_begin_again(desks):
    desks[Side.HEAD].troubles["compiled", 2] = WorkerDiedError(Place(Side.HEAD), "compiled", "died of SIGSEGV")
    found = run(desks)
    assert found.troubles == {
        (Side.HEAD, "compiled"): Trouble(reason="killed its worker, which died of SIGSEGV", own=True)
    }
    assert len(found.pairs["eager_fp32"]) == 6
    assert desks[Side.HEAD].log.count((Side.BASE, "end")) == 1


def test_a_variant_that_hangs_its_worker_is_left_out_as_one_that_kills_it_and_says_so(desks):
    how = "said nothing for 900 s in a call of compiled, and was killed"
    desks[Side.HEAD].troubles["compiled", 2] = WorkerHungError(Place(Side.HEAD), "compiled", how)
    found = run(desks)
    assert found.troubles == {(Side.HEAD, "compiled"): Trouble(reason=f"hung its worker, which {how}", own=True)}
    assert len(found.pairs["eager_fp32"]) == 6


def test_what_head_dies_of_is_tried_at_base_too(desks):
    for side, turn in ((Side.HEAD, 3), (Side.BASE, 5)):  # alike at both: base only had fewer turns when head died
        desks[side].troubles["compiled", turn] = WorkerDiedError(Place(side), "compiled", "died of SIGSEGV")
    assert set(run(desks).troubles) == {(Side.HEAD, "compiled"), (Side.BASE, "compiled")}


def test_what_raises_at_one_side_still_has_its_turn_at_the_other(desks):
    for side in Side:
        desks[side].troubles["compiled", 4] = say.Raised(reason="RuntimeError: cache is full")
    assert set(run(desks).troubles) == {(Side.HEAD, "compiled"), (Side.BASE, "compiled")}


def test_what_neither_side_has_installed_is_a_skip(desks):
    for desk in desks.values():
        desk.refused = {"peer": "openvino is not installed"}
    skipped = Trouble(reason="openvino is not installed", own=False, skipped=True)
    assert run(desks).troubles == {(Side.BASE, "peer"): skipped, (Side.HEAD, "peer"): skipped}


def test_a_worker_that_dies_of_nothing_it_ran_ends_the_model(desks):
    desks[Side.BASE].troubles["eager_fp32", 1] = WorkerDiedError(Place(Side.BASE), "", "died of SIGKILL")
    assert run(desks) == NotMeasured(reason="the worker of base died of SIGKILL", alike=False)


def test_where_memory_has_room_for_one_side_they_take_turns(desks, monkeypatch):
    monkeypatch.setattr(gate_table, "_have_room", lambda _needed: False)
    found = run(desks)
    assert len(found.pairs["compiled"]) == 6
    assert found.in_turns
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


def test_a_kill_by_the_kernel_is_not_held_against_the_variant(desks):
    desks[Side.HEAD].troubles["compiled", 2] = WorkerDiedError(Place(Side.HEAD), "compiled", "died of SIGKILL (...)")
    assert not run(desks).troubles[Side.HEAD, "compiled"].own


@pytest.mark.parametrize(("sides", "alike"), [((Side.BASE,), False), ((Side.BASE, Side.HEAD), True)])
def test_a_test_without_a_check_is_no_measurement(desks, sides, alike):
    for side in sides:
        desks[side].begin = lambda _node_id, side=side: Unknown(reason=f"no check at {side.value}")
    assert run(desks) == NotMeasured(reason=f"no check at {sides[-1].value}", alike=alike)


def test_a_variant_that_is_not_loaded_again_when_it_is_its_turn_leaves(desks, monkeypatch):
    monkeypatch.setattr(gate_table, "_have_room", lambda _needed: False)
    loads = desks[Side.HEAD].load
    answers = iter([None, None, None])

    def load(without):
        loaded = loads(without)
        if next(answers, "third") is None:
            return loaded
        return replace(loaded, cases={"eager_fp32": ()}, raised={"compiled": "OSError: gone"})

    desks[Side.HEAD].load = load
    found = run(desks, max_rounds=8)
    assert found.troubles == {(Side.HEAD, "compiled"): Trouble(reason="OSError: gone", own=True)}
    assert len(found.pairs["eager_fp32"]) == 6


def test_the_budget_ends_what_is_undecided(desks):
    for number in range(1, 40):
        duration_ns = 90 if number % 2 else 110
        desks[Side.HEAD].troubles["compiled", number] = say.Took(duration_ns=duration_ns, compiled=False)
    assert len(run(desks, budget_ns=0).pairs["compiled"]) == 6
