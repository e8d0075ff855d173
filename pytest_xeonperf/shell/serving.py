"""One side of a gate: a measuring child that holds the variants of a model and runs one of them when it is told to.

It takes the engine's place, so that tests, fixtures and workloads are those of its own tree. The driver decides whose
turn it is, so that rounds go across commits.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.memory import give_back
from pytest_xeonperf.host.system import read_system
from pytest_xeonperf.measure import plan
from pytest_xeonperf.measure.canary import torch_canary
from pytest_xeonperf.measure.clock import quiet_collector, time_call_ns
from pytest_xeonperf.measure.compilation import compilation_so_far, room_to_compile
from pytest_xeonperf.measure.ladder import Ladder, build_step
from pytest_xeonperf.measure.rounds import Effort
from pytest_xeonperf.measure.warmup import warm_up
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.admission import Room, admit
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

_INSTALLED = {"site-packages", "dist-packages"}


@dataclass(slots=True)
class Server:
    """Answers the driver until it has enough of a model; then leaves the test without a verdict.

    Attributes:
        rungs: Of all collected tests.
        foreign_root: The other tree, whose code must not be here; empty where both sides share one.
        steps: The variants that are loaded.
    """

    channel: Connection
    rungs: tuple[Rung, ...]
    machine: Machine
    foreign_root: str
    budget_s: float
    canaries: list[Canary] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)

    def offer(self, items: Iterable[pytest.Item], errors: Sequence[str]) -> None:
        """Tell the driver what there is, and what could not be collected."""
        offered: dict[str, say.Offered] = {}
        for rung in self.rungs:
            known = offered.get(rung.ladder.model)
            locations = {**(known.locations if known else {}), rung.variant.name: rung.location}
            node_id = known.node_id if known else rung.node_id
            offered[rung.ladder.model] = say.Offered(label=rung.ladder.model, node_id=node_id, locations=locations)
        stand = {rung.node_id for rung in self.rungs}
        for item in items:
            if item.nodeid not in stand:  # it compares two callables
                offered[item.nodeid] = say.Offered(label=item.nodeid, node_id=item.nodeid, locations={})
        models = tuple(offered.values())
        offer = say.Offer(version=say.VERSION, models=models, errors=tuple(errors), foreign=self._foreign())
        self.channel.send(offer)

    def result(self, rung: Rung, workload: Workload) -> Result:
        """Serve the model of a rung, with all variants of all of its ladders."""
        import torch

        phase = rung.ladder.phase_of(workload)
        variants = self._variants(rung.ladder)
        needed = phase.footprint
        memory_bytes = needed if isinstance(needed, Unknown) else plan.total_bytes(needed, tuple(variants))
        without = self._when_told_to(memory_bytes)
        with room_to_compile(), torch.no_grad():
            cases, failed = self._load(rung.ladder, workload, variants, without)
            self._serve(cases, failed, phase.item, phase.items_per_call)
        give_back()
        pytest.skip("served")

    def compare(
        self, test: Tested, case: Case, candidate: Callable[[], object], baseline: Callable[[], object]
    ) -> Result:
        """Serve two callables."""
        import torch

        del test
        self._when_told_to(Unknown(reason="two callables of the user's"))
        with room_to_compile(), torch.no_grad():
            for name, step in ((case.over, baseline), (case.variant, candidate)):
                self._entering(case.workload, name)
                warm_up(step)
                self.steps[name] = step
            self._serve({case.over: (), case.variant: (case,)}, {}, "call", 1)
        pytest.skip("served")

    def _variants(self, key: LadderKey) -> dict[Variant, None]:
        """Every baseline and every rung of a model, once."""
        from pytest_xeonperf.variants.spec import lookup

        ladders = {each: rungs for each, rungs in by_ladder(self.rungs).items() if each.is_of_same_model(key)}
        baselines = dict.fromkeys(lookup(each.over) for each in ladders)
        return baselines | dict.fromkeys(rung.variant for rungs in ladders.values() for rung in rungs)

    def _load(
        self, key: LadderKey, workload: Workload, variants: Mapping[Variant, None], without: tuple[str, ...]
    ) -> tuple[dict[str, tuple[Case, ...]], dict[str, str]]:
        """Build and warm up what this machine can run; what it cannot is named with the reason."""
        phase = key.phase_of(workload)
        room = Room(
            isa=self.machine.isa,
            limits=self.machine.limits,
            available_bytes=read_system(read_cpu().flags).available_bytes,
            rounds=Effort().min_rounds,
            budget_s=self.budget_s,
        )
        cases: dict[str, tuple[Case, ...]] = {variant.name: () for variant in variants}
        failed: dict[str, str] = {}
        ladder = None
        for each, rungs in by_ladder(self.rungs).items():
            if not each.is_of_same_model(key):
                continue
            admission = admit(each, phase, tuple(dict.fromkeys(rung.variant for rung in rungs)), (), room)
            failed |= {name: failure.reason for name, failure in admission.refused.items()}
            ladder = Ladder(
                workload=workload, phase=phase, preset=each.preset.value, baseline=admission.baseline, rungs=()
            )
            for rung in dict.fromkeys(rung.variant for rung in rungs):
                cases[rung.name] = (*cases[rung.name], ladder.case(rung))
        for variant in variants:
            if variant.name in failed or variant.name in without or ladder is None:
                continue
            self._entering(key.model, variant.name)
            try:
                step, _built = build_step(ladder, variant)
                warm_up(step)
            except Exception as error:  # noqa: BLE001 - any exception of a user's model is a fact about that variant
                failed[variant.name] = f"{type(error).__name__}: {error}"
                continue
            self.steps[variant.name] = step
        return {name: cases[name] for name in self.steps}, failed

    def _when_told_to(self, memory_bytes: int | Unknown) -> tuple[str, ...]:
        """Wait for the word to build; gives the variants to leave out."""
        self.channel.send(say.Needs(memory_bytes=memory_bytes))
        build: say.Build = self.channel.recv()
        return build.without

    def _entering(self, model: str, variant: str) -> None:
        self.channel.send(protocol.Entering(model=model, variant=variant, stage="loading"))

    def _serve(
        self, cases: Mapping[str, tuple[Case, ...]], failed: Mapping[str, str], item: str, items_per_call: int
    ) -> None:
        """Take turns until the driver has enough."""
        if not self.canaries:
            self.canaries.append(torch_canary())
        self.channel.send(
            say.Loaded(cases=cases, failed=failed, item=item, items_per_call=items_per_call, foreign=self._foreign())
        )
        with quiet_collector():
            while True:
                match self.channel.recv():
                    case say.Turn(variant=variant):
                        self.channel.send(_turn(self.steps[variant]))
                    case say.Sing():
                        self.channel.send(say.Sang(healthy=self.canaries[0].healthy()))
                    case say.Enough():
                        self.steps.clear()
                        return

    def _foreign(self) -> tuple[str, ...]:
        """Modules of this process whose files are the other tree's."""
        if not self.foreign_root:
            return ()
        root = Path(self.foreign_root).resolve()
        found = []
        for name, module in sorted(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if not file:
                continue
            path = Path(file).resolve()
            if path.is_relative_to(sys.prefix):
                continue  # an environment within the tree
            if path.is_relative_to(root) and not _INSTALLED & set(path.relative_to(root).parts):
                found.append(f"{name} from {path}")
        return tuple(found)


def _turn(step: Step) -> say.Took | say.Raised:
    before = compilation_so_far()
    try:
        duration_ns, _output = time_call_ns(step)
    except Exception as error:  # noqa: BLE001 - as for any variant
        return say.Raised(reason=f"{type(error).__name__}: {error}")
    return say.Took(duration_ns=duration_ns, compiled=compilation_so_far().since(before).graphs > 0)
