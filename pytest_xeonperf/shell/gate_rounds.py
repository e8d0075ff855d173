"""The rounds of one model across two commits: everybody of both sides once a round, in random order."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Protocol

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.system import read_system
from pytest_xeonperf.judge.betting import Decision
from pytest_xeonperf.judge.change import Times
from pytest_xeonperf.measure.clock import now_ns
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell.gate_request import Side
from pytest_xeonperf.shell.gate_worker import WorkerDiedError
from pytest_xeonperf.units import show_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.judge.change import ChangeRule
    from pytest_xeonperf.measure.rounds import Effort
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.shell.gate_worker import Worker

_SHARE_OF_MEMORY = 0.8
"""Of what is available: what two models are expected to take is not known to the last byte."""


_PAUSE_S = 0.03
"""Before each turn: idle threads of OpenMP spin for up to 15 ms after a call, on the cores of whoever is next."""


class Talk(Protocol):
    """Told what is going on, for whoever waits."""

    def say(self, words: str) -> None:
        """Something has come to its next step."""

    def show(self, words: str) -> None:
        """How far a step has got, until the next word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that both sides offer.

    Attributes:
        node_ids: Of the test that each side loads it by.
    """

    label: str
    node_ids: Mapping[Side, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a variant has no times.

    Attributes:
        own: Whether its code did it: it raised, or took its worker down. Else it cannot run here, whatever its code.
    """

    reason: str
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMeasured:
    """A model without rounds.

    Attributes:
        alike: Whether it is so at head and at base: then there is nothing to say about the change.
    """

    reason: str
    alike: bool


@dataclass(slots=True)
class Measured:
    """What the rounds of a model gave.

    Attributes:
        durations_ns: Of one call of every variant that both sides have, in the order of the rounds.
        cases: Of each variant, as head's tests hold it.
        troubles: Variants without times, by side and name.
        missing: Variants that only one side has.
        killed: Who took a worker down.
    """

    durations_ns: dict[str, dict[Side, list[int]]] = field(default_factory=dict)
    cases: Mapping[str, tuple[Case, ...]] = field(default_factory=dict)
    troubles: dict[tuple[Side, str], Trouble] = field(default_factory=dict)
    missing: dict[str, Side] = field(default_factory=dict)
    killed: set[tuple[Side, str]] = field(default_factory=set)
    item: str = "call"
    items_per_call: int = 1
    voided: int = 0

    def times(self, variant: str) -> Times | Unknown:
        """The pairs of a variant."""
        of_sides = self.durations_ns.get(variant)
        if not of_sides or not of_sides[Side.BASE]:
            return Unknown(reason="it was not in these rounds")
        return Times(base_ns=tuple(of_sides[Side.BASE]), head_ns=tuple(of_sides[Side.HEAD]))

    def leave(self, side: Side, name: str, reason: str, *, own: bool) -> None:
        """A variant leaves the rounds, with all of its times."""
        self.troubles[side, name] = Trouble(reason=reason, own=own)
        self.durations_ns.pop(name, None)


@dataclass(slots=True)
class Table:
    """The two workers at one model: both loaded, or, where memory has room for one only, each in its turn.

    Attributes:
        seated: Who has the model loaded.
        known: What each side said when it loaded it last.
    """

    model: Model
    workers: Mapping[Side, Worker]
    without: tuple[str, ...] = ()
    together: bool = True
    seated: set[Side] = field(default_factory=set)
    known: dict[Side, say.Loaded] = field(default_factory=dict)

    def sit_down(self, talk: Talk) -> NotMeasured | tuple[()]:
        """Load the model on both sides, or see that each can; why not, where one of them has no such check."""
        needs = {side: worker.begin(self.model.node_ids[side]) for side, worker in self.workers.items()}
        lacking = [each.reason for each in needs.values() if isinstance(each, Unknown)]
        if lacking:
            return NotMeasured(reason=lacking[-1], alike=len(lacking) == len(needs))
        self.together = _have_room([each.memory_bytes for each in needs.values() if isinstance(each, say.Needs)])
        if not self.together:
            talk.say(f"{self.model.label}: no room for both sides at once, they take turns")
            for worker in self.workers.values():
                worker.end()
        for side in self.workers:
            talk.say(f"{self.model.label}: {side.value} is loading")
            loaded = self._load(side) if self.together else self._take_seat(side)
            if isinstance(loaded, Unknown):
                return NotMeasured(reason=loaded.reason, alike=False)
        return self._different_work()

    def _different_work(self) -> NotMeasured | tuple[()]:
        """A call that does more or less at head than at base cannot be compared with it."""
        base, head = (f"{known.items_per_call} {known.item}" for known in map(self.known.__getitem__, Side))
        if base == head:
            return ()
        return NotMeasured(reason=f"a call is {base} at base and {head} at head", alike=False)

    def loaded(self, side: Side) -> say.Loaded | Unknown:
        """What a side has loaded, loading it if it is not seated."""
        return self.known[side] if side in self.seated else self._take_seat(side)

    def order(self, names: Sequence[str], order: Random) -> list[tuple[Side, str]]:
        """Whose turn it is in one round, at random; side by side where loading again would be the price."""
        if self.together:
            line_up = [(side, name) for side in self.workers for name in names]
            order.shuffle(line_up)
            return line_up
        sides = sorted(self.workers, key=lambda side: side not in self.seated)  # who is loaded begins
        return [(side, name) for side in sides for name in order.sample(list(names), len(names))]

    def healthy(self) -> bool:
        """Whether the machine is as usual, as whoever is loaded finds."""
        return all(self.workers[side].healthy() for side in sorted(self.seated)[:1])

    def get_up(self) -> None:
        """Let go of the model."""
        for side in tuple(self.seated):
            self.workers[side].release()
        self.seated.clear()

    def _load(self, side: Side) -> say.Loaded | Unknown:
        loaded = self.workers[side].load(self.without)
        if isinstance(loaded, say.Loaded):
            self.seated.add(side)
            self.known[side] = loaded
        return loaded

    def _take_seat(self, side: Side) -> say.Loaded | Unknown:
        """Load a side, with the other one gone from memory."""
        if not self.together:
            for other in tuple(self.seated):
                self.workers[other].end()
                self.seated.remove(other)
        needs = self.workers[side].begin(self.model.node_ids[side])
        return needs if isinstance(needs, Unknown) else self._load(side)


def measure(
    model: Model,
    workers: Mapping[Side, Worker],
    *,
    only: frozenset[str],
    rule: ChangeRule,
    effort: Effort,
    seed: int,
    talk: Talk,
) -> Measured | NotMeasured:
    """Rounds of one model until each variant is decided; one that kills its worker is left out, and they begin again.

    Args:
        model: What both sides offer.
        workers: By side.
        only: Names of the variants that matter, with their baselines; empty for all.
        rule: Decides when a variant has had enough rounds.
        effort: When to stop at the latest.
        seed: Of the order within the rounds.
        talk: Hears of the progress.
    """
    measured = Measured()
    while True:
        without = tuple(sorted({name for _side, name in measured.killed}))
        table = Table(model=model, workers=workers, without=without)
        try:
            refused = table.sit_down(talk)
            if refused:
                for worker in workers.values():
                    worker.end()
                return refused
            _note_loaded(measured, table, only)
            _rounds(measured, table, rule=rule, effort=effort, order=Random(seed), talk=talk)  # noqa: S311 - repeatable
            table.get_up()
        except WorkerDiedError as error:
            culprit = (error.place.side, error.variant)
            for worker in workers.values():
                worker.end()
            if not error.variant or culprit in measured.killed:
                return NotMeasured(reason=str(error), alike=False)
            measured.killed.add(culprit)
            # nobody knows whose memory the kernel was after
            measured.leave(*culprit, f"killed its worker, which {error.how}", own="SIGKILL" not in error.how)
            continue
        return measured


def _note_loaded(measured: Measured, table: Table, only: frozenset[str]) -> None:
    """Whom both sides have, and whom they have not."""
    measured.durations_ns = {}
    for side, loaded in table.known.items():
        for name, reason in loaded.refused.items():
            measured.leave(side, name, reason, own=False)
        for name, reason in loaded.raised.items():
            measured.leave(side, name, reason, own=True)
    head, base = table.known[Side.HEAD], table.known[Side.BASE]
    measured.cases = {**base.cases, **head.cases}
    measured.item, measured.items_per_call = head.item, head.items_per_call
    troubled = {name for _side, name in measured.troubles}
    for name in measured.cases:
        if name in head.cases and name in base.cases:
            if not only or name in only:
                measured.durations_ns[name] = {side: [] for side in table.workers}
        elif name not in troubled:
            measured.missing[name] = Side.BASE if name in head.cases else Side.HEAD


def _rounds(measured: Measured, table: Table, *, rule: ChangeRule, effort: Effort, order: Random, talk: Talk) -> None:
    """Fill in the rounds. A disturbed one is voided on the canary's word, never because of its own times."""
    started_ns = now_ns()
    kept = 0
    active = list(measured.durations_ns)
    healthy = table.healthy()
    while active and kept < effort.max_rounds:
        spent = now_ns() - started_ns > effort.budget_ns
        if spent and kept >= effort.min_rounds:
            break
        undecided = show_count(len(active), "variant")
        talk.show(f"{table.model.label}: {kept} rounds, {measured.voided} voided, {undecided} undecided")
        turns = _one_round(measured, table, active, order)
        active = [name for name in active if name in measured.durations_ns]
        healthy_before, healthy = healthy, table.healthy()
        if not (healthy_before and healthy) and not spent and measured.voided < effort.max_rounds:
            measured.voided += 1
            continue
        kept += 1
        for (side, name), duration_ns in turns.items():
            if name in measured.durations_ns:
                measured.durations_ns[name][side].append(duration_ns)
        if kept >= effort.min_rounds:
            active = _undecided(measured, active, rule.decide)


def _one_round(measured: Measured, table: Table, names: Sequence[str], order: Random) -> dict[tuple[Side, str], int]:
    """Everybody once. A variant that raises, compiles anew or takes no time leaves the rounds."""
    turns: dict[tuple[Side, str], int] = {}
    for side, name in table.order(names, order):
        loaded = table.loaded(side)
        if isinstance(loaded, Unknown):
            raise WorkerDiedError(table.workers[side].place, "", f"could not load it again: {loaded.reason}")
        if name not in measured.durations_ns:
            continue
        if name not in loaded.cases:
            reason = {**loaded.raised, **loaded.refused}.get(name, "it was not loaded again")
            measured.leave(side, name, reason, own=name in loaded.raised)
            continue
        time.sleep(_PAUSE_S)
        answer = table.workers[side].turn(name)
        if isinstance(answer, say.Raised):
            measured.leave(side, name, answer.reason, own=True)
        elif answer.compiled:
            measured.leave(side, name, "it compiles anew while it is timed", own=True)
        elif answer.duration_ns <= 0:
            measured.leave(side, name, f"a call took {answer.duration_ns} ns: the clock went backwards", own=False)
        else:
            turns[side, name] = answer.duration_ns
    return turns


def _undecided(measured: Measured, active: Sequence[str], decide: Callable[[Sequence[float]], Decision]) -> list[str]:
    """Who stays: whoever is undecided, and the baselines of all that are."""
    open_ones = []
    for name in active:
        times = measured.times(name)
        if isinstance(times, Times) and decide(times.logs()) is Decision.OPEN:
            open_ones.append(name)
    needed = {case.over for name in open_ones for case in measured.cases[name]}
    return [name for name in active if name in open_ones or name in needed]


def _have_room(needed: Sequence[int | Unknown]) -> bool:
    """Whether both models fit into memory; where nobody knows, it is tried."""
    known = [each for each in needed if not isinstance(each, Unknown)]
    return sum(known) < _SHARE_OF_MEMORY * read_system(read_cpu().flags).available_bytes
