"""The two workers of a gate at one model: both loaded at once, or, where memory has room for one only, in turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.system import read_system
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell.gate_request import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from pytest_xeonperf.shell.gate_worker import Worker

_SHARE_OF_MEMORY = 0.8
"""Of what is available: what two models are expected to take is not known to the last byte."""


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
class NotMeasured:
    """A model without rounds.

    Attributes:
        alike: Whether it is so at head and at base: then there is nothing to say about the change.
    """

    reason: str
    alike: bool


@dataclass(slots=True)
class Table:
    """The two workers at one model: both loaded, or, where memory has room for one only, each in its turn.

    Attributes:
        without: Variants that are not loaded, by side.
        seated: Who has the model loaded.
        known: What each side said when it loaded it last.
    """

    model: Model
    workers: Mapping[Side, Worker]
    without: Mapping[Side, tuple[str, ...]] = field(default_factory=dict)
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
        loaded = self.workers[side].load(self.without.get(side, ()))
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


def _have_room(needed: Sequence[int | Unknown]) -> bool:
    """Whether both models fit into memory; where nobody knows, it is tried."""
    known = [each for each in needed if not isinstance(each, Unknown)]
    return sum(known) < _SHARE_OF_MEMORY * read_system(read_cpu().flags).available_bytes
