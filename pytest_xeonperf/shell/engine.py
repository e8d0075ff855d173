"""Measures ladders for tests: each one when its first test asks, and every other test of it gets its share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError, NotApplicableError
from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.limits import measure_limits
from pytest_xeonperf.host.system import read_system
from pytest_xeonperf.judge.betting import estimate, log_ratios
from pytest_xeonperf.judge.verdict import Levels, Speed, judge, levels, settled
from pytest_xeonperf.measure.bench import Bench
from pytest_xeonperf.measure.canary import torch_canary
from pytest_xeonperf.measure.failure import Failure, FailureKind
from pytest_xeonperf.measure.ladder import Ladder, measure_ladder
from pytest_xeonperf.measure.pair import measure_pair
from pytest_xeonperf.measure.plan import at_once
from pytest_xeonperf.measure.roofline import against, best_of
from pytest_xeonperf.measure.rounds import Effort
from pytest_xeonperf.records import Measurement, Outcome, Roofline, Unknown
from pytest_xeonperf.shell.admission import Room, admit
from pytest_xeonperf.shell.listener import Watcher
from pytest_xeonperf.shell.protocol import WantsWeights, Weigh
from pytest_xeonperf.shell.results import case_of, failed_result, result_of
from pytest_xeonperf.shell.rungs import by_ladder
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.judge.expectations import Promises
    from pytest_xeonperf.measure.bench import Reference
    from pytest_xeonperf.measure.canary import Canary
    from pytest_xeonperf.records import Case, Estimate, Machine, Result, Sample, Verdict
    from pytest_xeonperf.shell.listener import Listener
    from pytest_xeonperf.shell.protocol import Barred
    from pytest_xeonperf.shell.results import Tested
    from pytest_xeonperf.shell.rungs import LadderKey, Rung
    from pytest_xeonperf.shell.settings import Settings
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Phase, Workload

_SMOKE_EFFORT = Effort(min_rounds=3, max_rounds=3)


@dataclass(slots=True)
class Engine:
    """The measuring side of a session, in whichever process it is.

    Attributes:
        rungs: Of all selected tests.
        machine: With the limits measured in this session.
        barred: Variants that killed an earlier child.
        cases: With a floor, in the whole run: the chance of an undeserved red is shared among them.
        measured: Ladders that are done.
        peaks: Peak RSS in bytes by model and variant, as far as it was weighed.
        references: FP32 outputs by model, shared by its ladders; another checkpoint or batch is another model.
    """

    settings: Settings
    rungs: tuple[Rung, ...]
    machine: Machine
    barred: Sequence[Barred]
    listener: Listener
    cases: int = 1
    measured: dict[LadderKey, Mapping[str, Measurement | Failure]] = field(default_factory=dict)
    peaks: dict[object, dict[str, int | Unknown]] = field(default_factory=dict)
    references: dict[object, dict[tuple[str, str, str], Reference]] = field(default_factory=dict)
    canaries: list[Canary] = field(default_factory=list)

    def result(self, rung: Rung, workload: Workload) -> Result:
        """What a rung came to; measures its whole ladder if nobody has yet.

        Raises:
            NotApplicableError: It cannot run on this model; the message says why.
            DataError: A file that the user gave is not what it should be.
        """
        if rung.ladder not in self.measured:
            self.measured[rung.ladder] = self._measure(rung.ladder, workload)
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
            return result_of(rung, found.case, found, self._judge(found, rung.promises, preset))
        judged = self._judge(found, replace(rung.promises, floors=()), preset)
        return result_of(rung, found.case, found, _over_another(judged, found.case, rung))

    def compare(
        self, test: Tested, case: Case, candidate: Callable[[], object], baseline: Callable[[], object]
    ) -> Result:
        """Measure one callable in pairs with another and judge it by the test's promises."""
        preset = self.settings.preset
        bench = self._bench(case, case.label, preset, {case.variant: [test.promises]})
        found = measure_pair(case, candidate, baseline, bench)
        return result_of(test, case, found, self._judge(found, test.promises, preset))

    def _judge(self, found: Measurement, promises: Promises, preset: Preset) -> Verdict:
        speed = Speed.IGNORED if preset is Preset.SMOKE else Speed.JUDGED
        return judge(found, promises, isa=self.machine.isa, rates=self._rates(), speed=speed)

    def _rates(self) -> Levels:
        return levels(self.settings.alpha, self.cases)

    def _measure(self, key: LadderKey, workload: Workload) -> Mapping[str, Measurement | Failure]:
        """Measure the ladder in groups that fit into memory, leaving out what cannot run here."""
        phase = key.phase_of(workload)
        self.listener.named(key.label, workload.name, phase.name)
        variants: dict[str, Variant] = {}
        promises: dict[str, list[Promises]] = {}  # several tests may hold one variant to different ones
        for rung in by_ladder(self.rungs)[key]:
            variants[rung.variant.name] = rung.variant
            promises.setdefault(rung.variant.name, []).append(rung.promises)
        bench = self._bench((key.source, key.preset), key.label, key.preset, promises)
        admitted = admit(key, phase, tuple(variants.values()), self.barred, self._room(bench.effort))
        found: dict[str, Measurement | Failure] = dict(admitted.refused)
        for group in admitted.groups:
            ladder = Ladder(
                workload=workload, phase=phase, preset=key.preset.value, baseline=admitted.baseline, rungs=group
            )
            found |= measure_ladder(ladder, bench)
        return self._weighed(key, phase, self._against_limits(found, variants))

    def _weighed(
        self, key: LadderKey, phase: Phase, found: Mapping[str, Measurement | Failure]
    ) -> Mapping[str, Measurement | Failure]:
        """With the peak memory of every variant: of smoke shapes only where it was promised, it says little there."""
        light = key.preset is Preset.SMOKE
        peaks = self.peaks.setdefault((key.source, key.phase, key.preset), {})  # shared by ladders of other baselines
        heavy = {
            rung.variant: rung.node_id
            for rung in reversed(by_ladder(self.rungs)[key])
            if isinstance(found[rung.variant.name], Measurement)
            and rung.variant.name not in peaks
            and not (light and rung.promises.max_memory_bytes == float("inf"))
        }
        if heavy:
            wanted = tuple(Weigh(node_id=node_id, variant=variant.name) for variant, node_id in reversed(heavy.items()))
            many = at_once(phase.footprint, tuple(heavy), self._available_bytes(), self.machine.threads // 2)
            peaks |= self.listener.weigh(WantsWeights(wanted=wanted, at_once=many))
        return {
            name: replace(each, evidence=replace(each.evidence, peak_rss_bytes=peaks[name]))
            if isinstance(each, Measurement) and name in peaks
            else each
            for name, each in found.items()
        }

    def _available_bytes(self) -> int:
        return read_system(read_cpu().flags).available_bytes

    def _against_limits(
        self, found: Mapping[str, Measurement | Failure], variants: Mapping[str, Variant]
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
        return {
            name: replace(each, roofline=against(each.roofline, variants[name], before=before, now=now))
            if isinstance(each, Measurement) and isinstance(each.roofline, Roofline)
            else each
            for name, each in found.items()
        }

    def _room(self, effort: Effort) -> Room:
        return Room(
            isa=self.machine.isa,
            limits=self.machine.limits,
            available_bytes=self._available_bytes(),
            rounds=effort.min_rounds,
            budget_s=self.settings.budget_s,
        )

    def _bench(self, model: object, label: str, preset: Preset, promises: Mapping[str, Sequence[Promises]]) -> Bench:
        """What the session lends to one ladder, or to one comparison."""
        if not self.canaries:
            self.canaries.append(torch_canary())
        smoke = preset is Preset.SMOKE
        rates, alpha = self._rates(), self.settings.alpha

        def is_settled(variant: str, samples: Sequence[Sample]) -> bool:
            logs = log_ratios(samples)
            return smoke or all(settled(logs, promised, self.machine.isa, rates) for promised in promises[variant])

        def summarise(samples: Sequence[Sample]) -> Estimate:
            return estimate(log_ratios(samples), alpha=alpha)

        return Bench(
            limits=self.machine.limits,
            effort=_SMOKE_EFFORT if smoke else Effort(budget_ns=round(self.settings.budget_s * 1e9)),
            seed=Random().getrandbits(31),  # noqa: S311 - a fresh order for every ladder; the seed is kept
            canary=self.canaries[0],
            settled=is_settled,
            summarise=summarise,
            watcher=Watcher(listener=self.listener, ladder=label),
            references=self.references.setdefault(model, {}),
        )


def _exceeds(found: Measurement | Failure) -> bool:
    return isinstance(found, Measurement) and isinstance(found.roofline, Roofline) and found.roofline.fraction > 1


def _over_another(verdict: Verdict, case: Case, rung: Rung) -> Verdict:
    """The verdict where the baseline that the floors are for did not fit: never green if there were floors."""
    if not rung.promises.floors or verdict.outcome is not Outcome.PASS:
        return verdict
    reason = f"{rung.ladder.over} does not fit into memory; measured over {case.over}, for which no floor is given"
    return replace(verdict, outcome=Outcome.NO_BASELINE, reason=reason, floor_ratio=Unknown(reason=reason))
