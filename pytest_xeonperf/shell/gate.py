"""Base against head: both measured side by side in one run, and what is flagged once more in fresh processes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from pytest_xeonperf.ci.checkout import built_in_place
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.change import Times
from pytest_xeonperf.judge.comparison import ComparedCase, Comparison
from pytest_xeonperf.judge.looks import Seen, confirmed, looks
from pytest_xeonperf.records import Case, Metric, Outcome, Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.gate_request import Side, split
from pytest_xeonperf.shell.gate_rounds import Measured, measure
from pytest_xeonperf.shell.gate_table import Model, NotMeasured
from pytest_xeonperf.shell.gate_worker import Worker
from pytest_xeonperf.shell.journal import Journal
from pytest_xeonperf.shell.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_xeonperf.judge.change import Change, ChangeRule
    from pytest_xeonperf.records import Machine
    from pytest_xeonperf.shell.gate_protocol import Offered
    from pytest_xeonperf.shell.gate_request import Place, Request
    from pytest_xeonperf.shell.gate_table import Talk

OVER_ITSELF = "base"
"""`Case.over` of a variant that no test holds against another: a mere baseline."""


def run_gate(request: Request, talk: Talk) -> Comparison:
    """Compare two commits.

    Raises:
        InfrastructureError: A worker cannot be started, or imports the other tree's code.
    """
    gate = _Gate(request=request, talk=talk, journal=Journal.open(request.home))
    if not gate.has_suites():
        return gate.comparison([], dict.fromkeys(Side, request.machine))
    with gate.workers() as workers:
        shared = gate.shared_models(workers)
        first, second = gate.rules(sum(offered.cases for _model, offered in shared))
        cases = [case for model, offered in shared for case in gate.compare(model, offered.locations, workers, first)]
        machines = {side: worker.machine for side, worker in workers.items()}
    flagged = {case.case.id for case in cases if case.outcome.red}
    if flagged:
        cases = gate.confirm(cases, flagged, shared, second)
    return gate.comparison(cases, machines)


@dataclass(slots=True)
class _Gate:
    """One comparison on its way.

    Attributes:
        notes: What was not compared, and why.
        seen: The rounds of the cases of this look, by id.
    """

    request: Request
    talk: Talk
    journal: Journal
    notes: list[str] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)
    voided: int = 0

    def has_suites(self) -> bool:
        """Whether base has any of the suites that are asked for; those it has not are noted."""
        head, base = self.request.head.tree.directory, self.request.base.tree.directory
        _kept, missing, some = split(self.request.arguments, head, base)
        self.notes += [f"{path} is not in base: nothing to compare it with" for path in missing]
        built = () if self.request.base.tree.root == self.request.home else built_in_place(self.request.home)
        if built:
            self.notes.append(
                f"{built[0]} and such ({len(built)} compiled files that no commit has) are not in base's tree: what is "
                "slower without them is slower there"
            )
        return some

    def comparison(self, cases: list[ComparedCase], machines: Mapping[Side, Machine]) -> Comparison:
        """What it all comes to."""
        return Comparison(
            base_commit=self.request.base.tree.commit,
            head_commit=self.request.head.tree.commit,
            base_machine=machines[Side.BASE],
            head_machine=machines[Side.HEAD],
            cases=tuple(cases),
            notes=tuple(self.notes),
            tolerance=self.request.tolerance,
            alpha=self.request.settings.alpha,
            voided_rounds=self.voided,
            command=self.request.command,
        )

    @contextmanager
    def workers(self) -> Iterator[Mapping[Side, Worker]]:
        """A fresh process for each side, gone afterwards."""
        base, head = self.request.base, self.request.head
        pair = {place.side: self._worker(place, other) for place, other in ((base, head), (head, base))}
        try:
            yield pair
        finally:
            for worker in pair.values():
                worker.end()

    def shared_models(self, workers: Mapping[Side, Worker]) -> list[tuple[Model, Offered]]:
        """Models that both sides offer, with what head says of each."""
        offered: dict[Side, dict[str, Offered]] = {}
        for side, worker in workers.items():
            self.talk.say(f"starting the worker of {side.value}")
            offered[side] = {model.label: model for model in worker.offer().models}
        base, head = offered[Side.BASE], offered[Side.HEAD]
        self.notes += [f"{label} is new at head: nothing to compare it with" for label in head if label not in base]
        self.notes += [f"{label} is no longer measured at head" for label in base if label not in head]
        return [
            (
                Model(label=label, node_ids={Side.BASE: base[label].node_id, Side.HEAD: model.node_id}),
                model,
            )
            for label, model in head.items()
            if label in base
        ]

    def rules(self, cases: int) -> tuple[ChangeRule, ChangeRule]:
        """When head counts as slower at each look, with the chance of any undeserved red shared among so many cases."""
        settings = self.request.settings
        return looks(settings.alpha, cases, tolerance=self.request.tolerance, fewest_pairs=settings.min_pairs)

    def compare(
        self,
        model: Model,
        locations: Mapping[str, str],
        workers: Mapping[Side, Worker],
        rule: ChangeRule,
        only: frozenset[str] = frozenset(),
    ) -> list[ComparedCase]:
        """Every case of one model."""
        seed = Random().getrandbits(31)  # noqa: S311 - a fresh order
        found = measure(
            model, workers, only=only, rule=rule, effort=self.request.settings.effort, seed=seed, talk=self.talk
        )
        if isinstance(found, NotMeasured):
            if found.alike:
                self.notes.append(f"{model.label}: {found.reason}")
                return []
            return [_unmeasured(model, _nameless(model), locations, found.reason, Outcome.INCONCLUSIVE)]
        self.voided += found.voided
        self.notes += [f"{model.label} {name} is not in {side.value}" for name, side in found.missing.items()]
        self.journal.note("compared", {"model": model.label, "durations_ns": found.durations_ns})
        cases = [
            self._judged(model, case, found, locations, rule)
            for name in found.durations_ns
            for case in found.cases[name] or (_alone(found, name),)
        ]
        troubled, refused = _split_troubled(found)
        self.notes += [f"{model.label} {name}: {reason}" for name, reason in refused.items()]
        return cases + [_troubled(model, found, name, locations) for name in troubled]

    def confirm(
        self,
        cases: list[ComparedCase],
        flagged: set[str],
        shared: list[tuple[Model, Offered]],
        rule: ChangeRule,
    ) -> list[ComparedCase]:
        """Measure what is flagged in fresh processes: only what is slower there too stays red."""
        again: dict[str, ComparedCase | Unknown] = dict.fromkeys(flagged, Unknown(reason="it could not be measured"))
        before, self.seen = self.seen, {}
        with self.workers() as workers:
            self.shared_models(workers)
            for model, offered in shared:
                red = [each.case for each in cases if each.case.id in flagged and each.model == model.label]
                if red:
                    self.talk.say(f"{model.label}: once more, in fresh processes")
                    only = frozenset(name for case in red for name in (case.variant, case.over))
                    for each in self.compare(model, offered.locations, workers, rule, only):
                        again[each.case.id] = each
        self.notes[:] = dict.fromkeys(self.notes)
        return [
            confirmed(each, again[each.case.id], _of_both(each.case.id, before, self.seen, rule))
            if each.case.id in flagged
            else each
            for each in cases
        ]

    def _worker(self, place: Place, other: Place) -> Worker:
        foreign = tuple(str(root) for root in (other.tree.root, self.request.home) if root != place.tree.root)
        arguments, _missing, _some = split(
            self.request.arguments, self.request.head.tree.directory, place.tree.directory
        )
        start = protocol.Start(
            purpose=protocol.Purpose.SERVE,
            arguments=arguments,
            directory=str(place.tree.directory),
            settings=self.request.settings,
            selected=(),
            cases=1,
            barred=(),
            machine=self.request.machine,
            own_root=str(place.tree.root),
            foreign_roots=foreign,
            home_root=str(self.request.home),
        )
        log = self.journal.folder / f"{place.side.value}.log"
        return Worker(place=place, start=start, log=log, patience=Patience(self.request.patience_s))

    def _judged(
        self, model: Model, case: Case, found: Measured, locations: Mapping[str, str], rule: ChangeRule
    ) -> ComparedCase:
        own = found.times(case.variant)
        if isinstance(own, Unknown):
            return _unmeasured(model, case, locations, own.reason, Outcome.INCONCLUSIVE)
        try:
            seen = Seen(own=own, baseline=_baseline_of(len(own.base_ns), case, found))
            change = seen.change(rule)
            outcome, reason = rule.judge(own.logs(), change)
        except DataError as error:
            return _unmeasured(model, case, locations, str(error), Outcome.INCONCLUSIVE)
        self.seen[case.id] = seen
        return replace(
            _unmeasured(model, case, locations, reason, outcome),
            item=found.item,
            items_per_call=found.items_per_call,
            change=change,
        )


def _baseline_of(rounds: int, case: Case, found: Measured) -> Times | Unknown:
    """The baseline's times in the first rounds; it may itself have left before the variant did."""
    times = found.times(case.over)
    if isinstance(times, Unknown):
        return times
    return Times(base_ns=times.base_ns[:rounds], head_ns=times.head_ns[:rounds])


def _of_both(case_id: str, first: Mapping[str, Seen], second: Mapping[str, Seen], rule: ChangeRule) -> Change | Unknown:
    if case_id not in first or case_id not in second:
        return Unknown(reason="it has no times in one of the looks")
    return first[case_id].then(second[case_id]).change(rule)


def _troubled(model: Model, found: Measured, name: str, locations: Mapping[str, str]) -> ComparedCase:
    """A variant without times: red where head's own code raises or kills its worker and base's does not."""
    head, base = found.troubles.get((Side.HEAD, name)), found.troubles.get((Side.BASE, name))
    reason = "; ".join(f"{side.value}: {each.reason}" for side, each in ((Side.HEAD, head), (Side.BASE, base)) if each)
    if head is None:
        outcome = Outcome.NO_BASELINE
    elif base is None and head.own:
        outcome = Outcome.CRASHED
    else:
        outcome = Outcome.INCONCLUSIVE
    cases = found.cases.get(name, ())
    return _unmeasured(model, cases[0] if cases else _alone(found, name), locations, reason, outcome)


def _split_troubled(found: Measured) -> tuple[list[str], dict[str, str]]:
    """Variants in trouble that need a verdict, and those that neither side can run, with the reason."""
    refused = {
        name: trouble.reason
        for (side, name), trouble in found.troubles.items()
        if side is Side.HEAD and trouble.skipped and (other := found.troubles.get((Side.BASE, name))) and other.skipped
    }
    return [name for name in dict.fromkeys(name for _side, name in found.troubles) if name not in refused], refused


def _alone(found: Measured, name: str) -> Case:
    """The case of a variant that no test holds against another, such as eager FP32 itself."""
    like = next((cases[0] for cases in found.cases.values() if cases), None)
    if like is None:
        return Case(workload="?", phase="?", preset="?", variant=name, metric=Metric.LATENCY, over=OVER_ITSELF)
    return replace(like, variant=name, over=OVER_ITSELF)


def _nameless(model: Model) -> Case:
    """The case of a model that never got as far as its variants."""
    return Case(workload=model.label, phase="-", preset="-", variant="-", metric=Metric.LATENCY, over=OVER_ITSELF)


def _unmeasured(model: Model, case: Case, locations: Mapping[str, str], reason: str, outcome: Outcome) -> ComparedCase:
    return ComparedCase(
        case=case,
        model=model.label,
        location=locations.get(case.variant, ""),
        node_id=model.node_ids[Side.HEAD],
        item="call",
        items_per_call=1,
        outcome=outcome,
        reason=reason,
        change=Unknown(reason=reason),
    )
