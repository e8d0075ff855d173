"""Measures ladders for tests: each one when its first test asks, and every other test of it gets its share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError, NotApplicableError, UsageError
from pytest_xeonperf.host.limits import measure_limits
from pytest_xeonperf.judge.processes import estimate, logs_by_process
from pytest_xeonperf.judge.verdict import Levels, Speed, judge, levels
from pytest_xeonperf.measure.bench import Bench
from pytest_xeonperf.measure.canary import torch_canary
from pytest_xeonperf.measure.failure import Failure, FailureKind
from pytest_xeonperf.measure.ladder import Ladder, measure_ladder
from pytest_xeonperf.measure.pace import Effort
from pytest_xeonperf.measure.pair import measure_pair
from pytest_xeonperf.measure.roofline import against, best_of
from pytest_xeonperf.records import Measurement, Outcome, Roofline, Unknown
from pytest_xeonperf.shell.admission import Room, admit, without_repeats
from pytest_xeonperf.shell.climb import climb_with, read_out
from pytest_xeonperf.shell.listener import Watcher
from pytest_xeonperf.shell.peaks import Peaks, available_bytes
from pytest_xeonperf.shell.replicates import Replicates
from pytest_xeonperf.shell.results import case_of, failed_result, result_of
from pytest_xeonperf.shell.rungs import by_ladder
from pytest_xeonperf.shell.stopping import Stopping
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.judge.expectations import Promises
    from pytest_xeonperf.measure.bench import Reference
    from pytest_xeonperf.measure.canary import Canary
    from pytest_xeonperf.records import Case, Estimate, Machine, Result, Sample, Verdict
    from pytest_xeonperf.shell.admission import Admission
    from pytest_xeonperf.shell.climb import Climb
    from pytest_xeonperf.shell.listener import Listener
    from pytest_xeonperf.shell.protocol import Barred
    from pytest_xeonperf.shell.results import Tested
    from pytest_xeonperf.shell.rungs import LadderKey, Rung
    from pytest_xeonperf.shell.settings import Settings
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Workload

_SMOKE_EFFORT = Effort(min_rounds=3, max_rounds=3)


@dataclass(slots=True)
class Engine:
    """The measuring side of a session, in whichever process it is.

    Attributes:
        rungs: Of all selected tests.
        machine: With the limits measured in this session.
        barred: Variants that killed an earlier child.
        looks_afresh: Whether another process wants this one's word: it asks no third.
        cases: With a floor, in the whole run: the chance of an undeserved red is shared among them.
        measured: Ladders that are done.
        names: Of their models.
        peaks: Peak memory of the variants, as far as it was weighed.
        others: Fresh processes that measure the same.
        references: FP32 outputs by model, shared by its ladders; another checkpoint or batch is another model.
    """

    settings: Settings
    rungs: tuple[Rung, ...]
    machine: Machine
    barred: Sequence[Barred]
    listener: Listener
    cases: int = 1
    looks_afresh: bool = False
    measured: dict[LadderKey, Mapping[str, Measurement | Failure]] = field(default_factory=dict)
    names: dict[LadderKey, str] = field(default_factory=dict)
    peaks: Peaks = field(init=False)
    references: dict[object, dict[tuple[str, str, str], Reference]] = field(default_factory=dict)
    canaries: list[Canary] = field(default_factory=list)
    others: Replicates = field(init=False)

    def __post_init__(self) -> None:
        self.peaks = Peaks(listener=self.listener, threads=self.machine.threads)
        self.others = Replicates(listener=self.listener, processes=self.settings.processes, asks=not self.looks_afresh)

    def result(self, rung: Rung, workload: Workload) -> Result:
        """What a rung came to; measures its whole ladder if nobody has yet.

        Raises:
            NotApplicableError: It cannot run on this model; the message says why.
            DataError: A file that the user gave is not what it should be.
            UsageError: The user's fixture gives the tests of one ladder different models.
        """
        name = self.names.setdefault(rung.ladder, workload.name)
        if name != workload.name:
            raise UsageError(
                f"the fixture workload gives {workload.name!r} to this test and {name!r} to another of its ladder",
                where=rung.node_id,
                remedy="define it where each model is measured, or parametrize it",
            )
        if rung.ladder not in self.measured:
            self._measure(rung.ladder, workload)
        found = self.measured[rung.ladder][rung.variant.name]
        preset = rung.ladder.preset
        if isinstance(found, Failure):
            if found.kind is FailureKind.NOT_APPLICABLE:
                raise NotApplicableError(found.reason)
            if found.kind is FailureKind.BAD_DATA:
                raise DataError(found.reason)
            phase = rung.ladder.phase_of(workload).name
            return failed_result(rung, case_of(rung, workload=workload.name, phase=phase), found, self.machine.isa)
        if found.case.over == rung.ladder.over:
            return self.others.last_word(result_of(rung, found.case, found, self._judge(found, rung.promises, preset)))
        judged = self._judge(found, replace(rung.promises, floors=(), ceilings=()), preset)
        return self.others.last_word(result_of(rung, found.case, found, _over_another(judged, found.case, rung)))

    def compare(
        self, test: Tested, case: Case, candidate: Callable[[], object], baseline: Callable[[], object]
    ) -> Result:
        """Measure one callable in pairs with another and judge it by the test's promises."""
        preset = self.settings.preset
        stopping = self._stopping(preset, case.over, {(case.variant, case.over): [test.promises]}, items_per_call=1)
        bench = self._bench(case, case.label, preset, stopping)
        found = measure_pair(case, candidate, baseline, bench)
        if preset is not Preset.SMOKE:
            found = self.others.joined({case: found}, (test.node_id,), bench.summarise)[case]
        return self.others.last_word(result_of(test, case, found, self._judge(found, test.promises, preset)))

    def _judge(self, found: Measurement, promises: Promises, preset: Preset) -> Verdict:
        speed = Speed.IGNORED if preset is Preset.SMOKE else Speed.JUDGED
        return judge(found, promises, isa=self.machine.isa, rates=self._rates(), speed=speed)

    def _summarise(self, samples: Sequence[Sample]) -> Estimate:
        return estimate(logs_by_process(samples), alpha=self.settings.alpha)

    def _rates(self) -> Levels:
        return levels(self.settings.alpha, self.cases)

    def _measure(self, key: LadderKey, workload: Workload) -> None:
        """Measure a ladder in groups that fit into memory, and with it those of the same model that fit beside it."""
        phase = key.phase_of(workload)
        self.listener.named(key.model, workload.name, phase.name)
        room = self._room(key.preset)
        of_model = {
            each: admit(each, phase, tuple(dict.fromkeys(rung.variant for rung in members)), self.barred, room)
            for each, members in by_ladder(self.rungs).items()
            if each.is_of_same_model(key)
        }
        told_apart = without_repeats(of_model, phase, room.available_bytes)
        admitted = {each: admission for each, admission in told_apart.items() if each not in self.measured}
        found = climb_with(
            key, admitted, phase.footprint, room.available_bytes, partial(self._climb, admitted, workload)
        )
        if key.preset is not Preset.SMOKE:
            found = self._in_all_processes(found)
        whole = {each: {**admitted[each].refused, **came_to} for each, came_to in found.items()}
        rungs = [rung for rung in self.rungs if rung.ladder in whole]
        self.measured |= whole if self.looks_afresh else self.peaks.added(phase, rungs, whole)

    def _in_all_processes(
        self, found: Mapping[LadderKey, Mapping[str, Measurement | Failure]]
    ) -> dict[LadderKey, dict[str, Measurement | Failure]]:
        """The same with the pairs of as many processes as were asked for."""
        rungs = [rung for key in found for rung in by_ladder(self.rungs)[key] if rung.variant.name in found[key]]
        measured = {
            each.case: each for came_to in found.values() for each in came_to.values() if isinstance(each, Measurement)
        }
        joined = self.others.joined(measured, tuple(dict.fromkeys(rung.node_id for rung in rungs)), self._summarise)
        return {
            key: {name: joined[each.case] if isinstance(each, Measurement) else each for name, each in came_to.items()}
            for key, came_to in found.items()
        }

    def _climb(
        self, admitted: Mapping[LadderKey, Admission], workload: Workload, climb: Climb
    ) -> Mapping[LadderKey, Mapping[str, Measurement | Failure]]:
        """What the ladders of one climb come to, each over its own baseline."""
        first = climb.ladders[0]
        ladder = Ladder(
            workload=workload,
            phase=first.phase_of(workload),
            preset=first.preset.value,
            baseline=climb.baseline,
            rungs=climb.rungs,
        )
        promises: dict[tuple[str, str], list[Promises]] = {}  # several tests may hold one variant to different ones
        for key in climb.ladders:
            for rung in by_ladder(self.rungs)[key]:
                promises.setdefault((rung.variant.name, admitted[key].baseline.name), []).append(rung.promises)
        items_per_call = ladder.phase.items_per_call
        stopping = self._stopping(first.preset, climb.baseline.name, promises, items_per_call=items_per_call)
        bench = self._bench((first.source, first.preset), first.model, first.preset, stopping)
        found = self._against_limits(measure_ladder(ladder, bench), climb.rungs)
        return read_out(found, climb, admitted, bench.summarise)

    def _against_limits(
        self, found: Mapping[str, Measurement | Failure], rungs: Sequence[Variant]
    ) -> Mapping[str, Measurement | Failure]:
        """Measure the limits once more if one was exceeded: the machine may have been busy when they were measured."""
        before = self.machine.limits
        if isinstance(before, Unknown) or not any(map(_exceeds, found.values())):
            return found
        again = measure_limits()
        if isinstance(again, Unknown):
            return found
        now = best_of(before, again)
        self.machine = replace(self.machine, limits=now)
        self.listener.limits_raised(now)
        variants = {rung.name: rung for rung in rungs}
        return {
            name: replace(each, roofline=against(each.roofline, variants[name], before=before, now=now))
            if isinstance(each, Measurement) and isinstance(each.roofline, Roofline)
            else each
            for name, each in found.items()
        }

    def _room(self, preset: Preset) -> Room:
        return Room(
            amx=self.machine.amx,
            isa=self.machine.isa,
            limits=self.machine.limits,
            available_bytes=available_bytes(),
            rounds=self._effort(preset).min_rounds,
            budget_s=self.settings.budget_s,
        )

    def _effort(self, preset: Preset) -> Effort:
        return _SMOKE_EFFORT if preset is Preset.SMOKE else self.settings.effort

    def _stopping(
        self,
        preset: Preset,
        baseline: str,
        promises: Mapping[tuple[str, str], Sequence[Promises]],
        *,
        items_per_call: int,
    ) -> Stopping:
        return Stopping(
            baseline=baseline,
            promises={} if preset is Preset.SMOKE else promises,
            isa=self.machine.isa,
            rates=self._rates(),
            items_per_call=items_per_call,
        )

    def _bench(self, model: object, label: str, preset: Preset, stopping: Stopping) -> Bench:
        """What the session lends to one climb, or to one comparison."""
        if not self.canaries:
            self.canaries.append(torch_canary())
        return Bench(
            amx=self.machine.amx,
            limits=self.machine.limits,
            effort=self._effort(preset),
            seed=Random().getrandbits(31),  # noqa: S311 - a fresh order for every ladder; the seed is kept
            canary=self.canaries[0],
            settled=stopping,
            summarise=self._summarise,
            watcher=Watcher(listener=self.listener, model=label),
            references=self.references.setdefault(model, {}),
        )


def _exceeds(found: Measurement | Failure) -> bool:
    return isinstance(found, Measurement) and isinstance(found.roofline, Roofline) and found.roofline.fraction > 1


def _over_another(verdict: Verdict, case: Case, rung: Rung) -> Verdict:
    """The verdict where the baseline that the floors are for did not fit: never green if there were floors."""
    if not (rung.promises.floors or rung.promises.ceilings) or verdict.outcome is not Outcome.PASS:
        return verdict
    reason = f"{rung.ladder.over} does not fit into memory; measured over {case.over}, for which no floor is given"
    return replace(verdict, outcome=Outcome.NO_BASELINE, reason=reason, floor_ratio=Unknown(reason=reason))
