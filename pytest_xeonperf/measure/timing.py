"""The rounds of a ladder, kept going: a rung that raises or recompiles in them takes no other with it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.host.contention import between, read_counters
from pytest_xeonperf.measure.clock import now_ns
from pytest_xeonperf.measure.compilation import Compilation, compilation_so_far
from pytest_xeonperf.measure.rounds import BASELINE, Rounds, run_rounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.measure.bench import Bench
    from pytest_xeonperf.records import Contention, Unknown
    from pytest_xeonperf.workloads.protocol import Step

_PAUSE_S = 0.003
"""Before each timed call: the session notes who is on, and shall not do so on the cores that are being timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """The rounds of a ladder, and what happened in them.

    Attributes:
        contention: What else used the cores while they ran.
        recompiles: Graphs compiled anew while a rung was timed, by its name.
        raised: Rungs that raised while they were timed; they have no rounds.
    """

    rounds: Rounds
    contention: Contention | Unknown
    recompiles: Mapping[str, int]
    raised: Mapping[str, Exception]


class BaselineRaisedError(Exception):
    """The baseline raised while it was timed."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _RaisedError(Exception):
    """A step raised while it was timed."""

    def __init__(self, name: str, cause: Exception) -> None:
        super().__init__(name)
        self.name = name
        self.cause = cause


def time_steps(baseline: Step, rungs: Mapping[str, Step], baseline_name: str, bench: Bench) -> Timed:
    """Time the rungs in rounds with the baseline. One that raises is left out, and the rounds begin again without it.

    Raises:
        BaselineRaisedError: The baseline did; there is nothing to pair with.
    """
    raised: dict[str, Exception] = {}
    started_ns = now_ns()
    while True:
        recompiles = _Recompiles(baseline_name=baseline_name, bench=bench)
        left_ns = max(0, bench.effort.budget_ns - (now_ns() - started_ns))
        bench.watcher.timing_begins(left_ns, bench.effort.min_rounds)
        before = read_counters()
        try:
            rounds = run_rounds(
                _guarded(BASELINE, baseline),
                {name: _guarded(name, step) for name, step in rungs.items() if name not in raised},
                effort=replace(bench.effort, budget_ns=left_ns),
                seed=bench.seed,
                canary=bench.canary,
                settled=bench.settled,
                on_turn=recompiles.turn,
                on_round=bench.watcher.round_done,
                on_void=bench.watcher.round_voided,
            )
        except _RaisedError as error:
            if error.name == BASELINE:
                raise BaselineRaisedError(error.cause) from error.cause
            raised[error.name] = error.cause
            continue
        contention = between(before, read_counters())
        recompiles.turn(BASELINE)
        return Timed(rounds=rounds, contention=contention, recompiles=recompiles.counts, raised=raised)


def _guarded(name: str, step: Step) -> Step:
    """A step that says whose it was when it raises."""

    def guarded() -> object:
        try:
            return step()
        except Exception as error:
            raise _RaisedError(name, error) from error

    return guarded


@dataclass(slots=True)
class _Recompiles:
    """Puts every graph that is compiled between two turns down to whoever had the first of them."""

    baseline_name: str
    bench: Bench
    running: str = BASELINE
    seen: Compilation = field(default_factory=compilation_so_far)
    counts: dict[str, int] = field(default_factory=dict)

    def turn(self, name: str) -> None:
        now = compilation_so_far()
        self.counts[self.running] = self.counts.get(self.running, 0) + now.since(self.seen).graphs
        self.running, self.seen = name, now
        self.bench.watcher.entering(name or self.baseline_name, "timing")
        time.sleep(_PAUSE_S)
