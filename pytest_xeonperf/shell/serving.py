"""One side of a gate: a measuring child that holds the variants of a model and runs one of them when it is told to.

It takes the engine's place, so that tests, fixtures and workloads are those of its own tree. The driver decides whose
turn it is, so that rounds go across commits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import NotApplicableError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.memory import give_back
from pytest_xeonperf.host.system import read_system
from pytest_xeonperf.measure import plan
from pytest_xeonperf.measure.canary import torch_canary
from pytest_xeonperf.measure.clock import quiet_collector, time_call_ns
from pytest_xeonperf.measure.compilation import compilation_so_far, room_to_compile
from pytest_xeonperf.measure.failure import FailureKind
from pytest_xeonperf.measure.ladder import Ladder, build_step
from pytest_xeonperf.measure.warmup import warm_up
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.admission import Room, admit
from pytest_xeonperf.shell.foreign import compiled_files, foreign_modules
from pytest_xeonperf.shell.rungs import by_ladder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from multiprocessing.connection import Connection

    from pytest_xeonperf.measure.canary import Canary
    from pytest_xeonperf.records import Case, Machine, Result
    from pytest_xeonperf.shell.results import Tested
    from pytest_xeonperf.shell.rungs import LadderKey, Rung
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Step, Workload

_NO_ROOM = "has no room beside the other variants of its model: choose fewer of them, with -k"


@dataclass(slots=True)
class _Line:
    """The variants of one model, on their way to the rounds."""

    cases: dict[str, tuple[Case, ...]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    raised: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Server:
    """Answers the driver until it has enough of a model; then leaves the test without a verdict.

    Attributes:
        start: What the driver told this process when it started.
        rungs: Of all collected tests.
        steps: The variants that are loaded.
    """

    channel: Connection
    start: protocol.Start
    rungs: tuple[Rung, ...]
    machine: Machine
    canaries: list[Canary] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)

    def offer(self, items: Iterable[pytest.Item], errors: Sequence[str]) -> None:
        """Tell the driver what there is, and what could not be collected."""
        models: dict[str, list[Rung]] = {}
        for rung in self.rungs:
            models.setdefault(rung.ladder.model, []).append(rung)
        offered = [_offered(label, rungs) for label, rungs in models.items()]
        stand = {rung.node_id for rung in self.rungs}
        offered += [
            say.Offered(label=item.nodeid, node_id=item.nodeid, locations={}, cases=2)  # two callables
            for item in items
            if item.nodeid not in stand
        ]
        self.channel.send(
            say.Offer(version=say.VERSION, models=tuple(offered), errors=tuple(errors), foreign=self._foreign())
        )

    def result(self, rung: Rung, workload: Workload) -> Result:
        """Serve the model of a rung, with all variants of all of its ladders."""
        import torch

        key = rung.ladder
        phase = key.phase_of(workload)
        ladders = {each: rungs for each, rungs in by_ladder(self.rungs).items() if each.is_of_same_model(key)}
        line, variants, ladder = self._admitted(ladders, workload)
        needed = phase.footprint
        memory_bytes = needed if isinstance(needed, Unknown) else plan.total_bytes(needed, variants)
        without = self._when_told_to(memory_bytes)
        with room_to_compile(), torch.no_grad():
            for variant in variants:
                if variant.name not in without:
                    self._load(ladder, variant, key.model, line)
            cases = {name: line.cases.get(name, ()) for name in self.steps}
            self._serve(cases, line, phase.item, phase.items_per_call)
        give_back()
        pytest.skip("served")

    def compare(
        self, test: Tested, case: Case, candidate: Callable[[], object], baseline: Callable[[], object]
    ) -> Result:
        """Serve two callables."""
        import torch

        del test
        without = self._when_told_to(Unknown(reason="two callables of the user's"))
        cases: dict[str, tuple[Case, ...]] = {case.over: (), case.variant: (case,)}
        with room_to_compile(), torch.no_grad():
            for name, step in ((case.over, baseline), (case.variant, candidate)):
                if name not in without:
                    self._entering(case.workload, name, "warming up")
                    warm_up(step)
                    self.steps[name] = step
            self._serve({name: cases[name] for name in self.steps}, _Line(), "call", 1)
        pytest.skip("served")

    def _admitted(
        self, ladders: Mapping[LadderKey, Sequence[Rung]], workload: Workload
    ) -> tuple[_Line, tuple[Variant, ...], Ladder]:
        """Who can run here: baselines first, then what fits into memory beside them; the rest is refused."""
        line = _Line()
        baselines: dict[Variant, None] = {}
        rungs: dict[Variant, None] = {}
        for key, members in ladders.items():
            phase = key.phase_of(workload)
            variants = tuple(dict.fromkeys(rung.variant for rung in members))
            admission = admit(key, phase, variants, (), self._room())
            for name, failure in admission.refused.items():
                kept = line.refused if failure.kind is FailureKind.NOT_APPLICABLE else line.lacking
                kept[name] = failure.reason
            line.lacking |= {rung.name: _NO_ROOM for group in admission.groups[1:] for rung in group}
            ladder = Ladder(
                workload=workload, phase=phase, preset=key.preset.value, baseline=admission.baseline, rungs=()
            )
            for rung in admission.groups[0] if admission.groups else ():
                line.cases[rung.name] = (*line.cases.get(rung.name, ()), ladder.case(rung))
                rungs[rung] = None
                baselines[admission.baseline] = None
                line.lacking.pop(admission.baseline.name, None)  # in its own right, or in the place of a larger one
        return line, tuple(baselines | rungs), ladder

    def _room(self) -> Room:
        return Room(
            amx=self.machine.amx,
            isa=self.machine.isa,
            limits=self.machine.limits,
            available_bytes=read_system(read_cpu().flags).available_bytes,
            rounds=self.start.settings.min_pairs,
            budget_s=self.start.settings.budget_s,
        )

    def _load(self, ladder: Ladder, variant: Variant, model: str, line: _Line) -> None:
        """Build and warm up one variant; what goes wrong is a fact about it."""
        self._entering(model, variant.name, "building")
        try:
            step, _built = build_step(ladder, variant)
            self._entering(model, variant.name, "compiling" if variant.compile else "warming up")
            warm_up(step)
        except NotApplicableError as error:
            line.refused[variant.name] = str(error)
        except Exception as error:  # noqa: BLE001 - any exception of a user's model is a fact about that variant
            line.raised[variant.name] = f"{type(error).__name__}: {error}"
        else:
            self.steps[variant.name] = step

    def _when_told_to(self, memory_bytes: int | Unknown) -> tuple[str, ...]:
        """Wait for the word to build; gives the variants to leave out."""
        self.channel.send(say.Needs(memory_bytes=memory_bytes))
        build: say.Build = self.channel.recv()
        return build.without

    def _entering(self, model: str, variant: str, stage: str) -> None:
        self.channel.send(protocol.Entering(model=model, variant=variant, stage=stage))

    def _serve(self, cases: Mapping[str, tuple[Case, ...]], line: _Line, item: str, items_per_call: int) -> None:
        """Take turns until the driver has enough."""
        if not self.canaries:
            self.canaries.append(torch_canary())
        self.channel.send(protocol.Idle())  # from here on a death is nobody's who is not having a turn
        self.channel.send(
            say.Loaded(
                cases=cases,
                refused=line.refused,
                lacking=line.lacking,
                raised=line.raised,
                item=item,
                items_per_call=items_per_call,
                foreign=self._foreign(),
                compiled=compiled_files(self.start.own_root),
            )
        )
        try:
            with quiet_collector():
                while not isinstance(message := self.channel.recv(), say.Enough):
                    if isinstance(message, say.Turn):
                        self.channel.send(_turn(self.steps[message.variant]))
                    else:
                        self.channel.send(say.Sang(healthy=self.canaries[0].healthy()))
        finally:
            self.steps.clear()

    def _foreign(self) -> tuple[str, ...]:
        return foreign_modules(self.start.own_root, self.start.foreign_roots, self.start.home_root)


def _offered(label: str, rungs: Sequence[Rung]) -> say.Offered:
    variants = {rung.variant.name for rung in rungs}
    mere_baselines = {rung.ladder.over for rung in rungs} - variants
    return say.Offered(
        label=label,
        node_id=rungs[0].node_id,
        locations={rung.variant.name: rung.location for rung in reversed(rungs)},
        cases=len({(rung.variant.name, rung.ladder.over) for rung in rungs}) + len(mere_baselines),
    )


def _turn(step: Step) -> say.Took | say.Raised:
    before = compilation_so_far()
    try:
        duration_ns, _output = time_call_ns(step)
    except Exception as error:  # noqa: BLE001 - as for any variant
        return say.Raised(reason=f"{type(error).__name__}: {error}")
    return say.Took(duration_ns=duration_ns, compiled=compilation_so_far().since(before).graphs > 0)
