"""The rounds of one model across two commits: everybody of both sides once a round, in random order."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from pytest_xeonperf.host.contention import between, read_counters
from pytest_xeonperf.judge.betting import Decision
from pytest_xeonperf.judge.change import Times
from pytest_xeonperf.judge.comparison import Course
from pytest_xeonperf.measure.pace import Pace
from pytest_xeonperf.records import Contention, Sample, Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell.gate_request import Side
from pytest_xeonperf.shell.gate_table import Model, NotMeasured, Table
from pytest_xeonperf.shell.gate_worker import WorkerDiedError
from pytest_xeonperf.units import show_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.judge.change import ChangeRule
    from pytest_xeonperf.measure.pace import Effort
    from pytest_xeonperf.records import Case
    from pytest_xeonperf.shell.gate_table import Talk
    from pytest_xeonperf.shell.gate_worker import Worker

_NO_ROUNDS = Unknown(reason="there were no rounds")
_PAUSE_S = 0.03
"""Before each turn: idle threads of OpenMP spin for up to 15 ms after a call, on the cores of whoever is next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a variant has no times.

    Attributes:
        own: Whether its code did it: it raised, or took its worker down.
        skipped: Whether a session would skip it: it does not go with the model, or is not installed.
    """

    reason: str
    own: bool
    skipped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One call in a round: its place in the round's order, from 0, and how long it took."""

    position: int
    duration_ns: int


@dataclass(slots=True)
class Measured:
    """What the rounds of a model gave.

    Attributes:
        pairs: Of every variant that both sides have, in the order of the rounds: base as the baseline, head as the
            candidate, of one call each.
        seed: Of the order within the rounds.
        in_turns: Whether only one side was loaded at a time: the order of the sides was then not drawn.
        disturbed: Rounds that were kept although the canary found the machine disturbed.
        compiled: Files of head's tree that it runs compiled code of.
        contention: What else used the cores during the rounds that count.
        cases: Of each variant, as head's tests hold it.
        troubles: Variants without times, by side and name.
        missing: Variants that only one side has.
        killed: Who took a worker down.
        rounds: That there have been, voided ones and those before a death included.
    """

    seed: int
    pairs: dict[str, list[Sample]] = field(default_factory=dict)
    cases: Mapping[str, tuple[Case, ...]] = field(default_factory=dict)
    troubles: dict[tuple[Side, str], Trouble] = field(default_factory=dict)
    missing: dict[str, Side] = field(default_factory=dict)
    killed: dict[tuple[Side, str], Trouble] = field(default_factory=dict)
    rounds: int = 0
    item: str = "call"
    items_per_call: int = 1
    voided: int = 0
    disturbed: int = 0
    in_turns: bool = False
    compiled: tuple[str, ...] = ()
    contention: Contention | Unknown = _NO_ROUNDS

    def times(self, variant: str) -> Times | Unknown:
        """The pairs of a variant."""
        pairs = self.pairs.get(variant)
        if not pairs:
            return Unknown(reason="it was not in these rounds")
        return Times(
            base_ns=tuple(pair.baseline_ns for pair in pairs), head_ns=tuple(pair.candidate_ns for pair in pairs)
        )

    def course(self, model: str) -> Course:
        """How the rounds of the model went."""
        return Course(
            model=model,
            seed=self.seed,
            voided_rounds=self.voided,
            disturbed_rounds=self.disturbed,
            in_turns=self.in_turns,
            contention=self.contention,
        )

    def leave(self, side: Side, name: str, trouble: Trouble) -> None:
        """A variant leaves the rounds, with all of its times."""
        self.troubles[side, name] = trouble
        self.pairs.pop(name, None)


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
        only: Names of the variants that matter, which stay with their baselines until they are decided; empty for all.
        rule: Decides when a variant has had enough rounds, also before there are as many as effort asks for.
        effort: When to stop at the latest.
        seed: Of the order within the rounds.
        talk: Hears of the progress.
    """
    measured = Measured(seed=seed)
    while True:
        table = Table(model=model, workers=workers, without=_barred(measured))
        try:
            refused = table.sit_down(talk)
            if refused:
                for worker in workers.values():
                    worker.end()
                return refused
            _note_loaded(measured, table, only)
            measured.in_turns = not table.together
            _try_alone(measured, table)
            order = Random(seed)  # noqa: S311 - repeatable
            _rounds(measured, table, only=only, rule=rule, effort=effort, order=order, talk=talk)
            table.get_up()
        except WorkerDiedError as error:
            culprit = (error.place.side, error.variant)
            for worker in workers.values():
                worker.end()
            if not error.variant or culprit in measured.killed:
                return NotMeasured(reason=str(error), alike=False)
            measured.killed[culprit] = Trouble(
                reason=f"{error.did} its worker, which {error.how}",
                own="SIGKILL" not in error.how,  # nobody knows whose memory the kernel was after
            )
            continue
        return measured


def _barred(measured: Measured) -> Mapping[Side, tuple[str, ...]]:
    """Who is not loaded again: on the side where it has killed a worker."""
    return {side: tuple(name for where, name in measured.killed if where is side) for side in Side}


def _try_alone(measured: Measured, table: Table) -> None:
    """Let the other side's variant, too, do what one has died of: code that fails alike at both is no change."""
    for side, name in tuple(measured.killed):
        other = Side.BASE if side is Side.HEAD else Side.HEAD
        if (other, name) in measured.killed or name not in table.known[other].cases:
            continue
        for _turn in range(measured.rounds + 1):
            if isinstance(table.loaded(other), say.Loaded):
                table.workers[other].turn(name)


def _note_loaded(measured: Measured, table: Table, only: frozenset[str]) -> None:
    """Whom both sides have, and whom they have not."""
    measured.pairs, measured.troubles, measured.missing = {}, dict(measured.killed), {}
    for side, loaded in table.known.items():
        troubles = {name: Trouble(reason=reason, own=False, skipped=True) for name, reason in loaded.refused.items()}
        troubles |= {name: Trouble(reason=reason, own=False) for name, reason in loaded.lacking.items()}
        troubles |= {name: Trouble(reason=reason, own=True) for name, reason in loaded.raised.items()}
        measured.troubles |= {(side, name): trouble for name, trouble in troubles.items()}
    head, base = table.known[Side.HEAD], table.known[Side.BASE]
    measured.cases = {**measured.cases, **base.cases, **head.cases}
    measured.item, measured.items_per_call = head.item, head.items_per_call
    measured.compiled = head.compiled
    troubled = {name for _side, name in measured.troubles}
    wanted = only | {case.over for name in only for case in measured.cases.get(name, ())}
    for name in measured.cases:
        if name in head.cases and name in base.cases:
            if not only or name in wanted:
                measured.pairs[name] = []
        elif name not in troubled:
            measured.missing[name] = Side.BASE if name in head.cases else Side.HEAD


def _rounds(
    measured: Measured,
    table: Table,
    *,
    only: frozenset[str],
    rule: ChangeRule,
    effort: Effort,
    order: Random,
    talk: Talk,
) -> None:
    """Fill in the rounds that count."""
    active = list(measured.pairs)
    before = read_counters(with_children=True)
    pace = Pace(effort=effort, sing=table.healthy)
    while active and pace.goes_on():
        undecided = show_count(len(active), "variant")
        talk.show(f"{table.model.label}: {pace.kept} rounds, {measured.voided} voided, {undecided} undecided")
        index = pace.index
        turns = _one_round(measured, table, active, order)
        active = [name for name in active if name in measured.pairs]
        if not pace.keeps():
            measured.voided += 1
            continue
        for name in active:
            measured.pairs[name].append(_pair(index, turns[Side.BASE, name], turns[Side.HEAD, name]))
        active = _undecided(measured, active, only, rule.decide)
    measured.disturbed = len(pace.disturbed)
    measured.contention = between(before, read_counters(with_children=True))


def _pair(index: int, base: _Turn, head: _Turn) -> Sample:
    return Sample(
        process=0,
        round_index=index,
        baseline_ns=base.duration_ns,
        candidate_ns=head.duration_ns,
        baseline_position=base.position,
        candidate_position=head.position,
    )


def _one_round(measured: Measured, table: Table, names: Sequence[str], order: Random) -> dict[tuple[Side, str], _Turn]:
    """Everybody once, also the other side of who is in trouble: code that fails alike at both is no change."""
    measured.rounds += 1
    turns: dict[tuple[Side, str], _Turn] = {}
    troubles: dict[tuple[Side, str], Trouble] = {}
    for position, (side, name) in enumerate(table.order(names, order)):
        loaded = table.loaded(side)
        if isinstance(loaded, Unknown):
            raise WorkerDiedError(table.workers[side].place, "", f"could not load it again: {loaded.reason}")
        if name not in loaded.cases:
            reason = {**loaded.raised, **loaded.lacking, **loaded.refused}.get(name, "it was not loaded again")
            troubles[side, name] = Trouble(reason=reason, own=name in loaded.raised)
            continue
        time.sleep(_PAUSE_S)
        answer = table.workers[side].turn(name)
        if isinstance(answer, say.Raised):
            troubles[side, name] = Trouble(reason=answer.reason, own=True)
        elif answer.compiled:
            troubles[side, name] = Trouble(reason="it compiles anew while it is timed", own=True)
        elif answer.duration_ns <= 0:
            reason = f"a call took {answer.duration_ns} ns: the clock went backwards"
            troubles[side, name] = Trouble(reason=reason, own=False)
        else:
            turns[side, name] = _Turn(position=position, duration_ns=answer.duration_ns)
    for (side, name), trouble in troubles.items():
        measured.leave(side, name, trouble)
    return turns


def _undecided(
    measured: Measured, active: Sequence[str], only: frozenset[str], decide: Callable[[Sequence[float]], Decision]
) -> list[str]:
    """Who stays: whoever matters and is undecided, and the baselines of all that are."""
    open_ones = []
    for name in active:
        if only and name not in only:
            continue
        times = measured.times(name)
        if isinstance(times, Times) and decide(times.logs()) is Decision.OPEN:
            open_ones.append(name)
    needed = {case.over for name in open_ones for case in measured.cases[name]}
    return [name for name in active if name in open_ones or name in needed]
