"""Base against head: both measured side by side in one run, and what is flagged once more in fresh processes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

from pytest_xeonperf.ci.checkout import built_in_place
from pytest_xeonperf.judge.carryover import judged_together
from pytest_xeonperf.judge.comparison import ComparedCase, Comparison, Course
from pytest_xeonperf.judge.looks import Seen, confirmed, looks
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.gate_cases import (
    alone,
    doubted,
    judged,
    nameless,
    seen_of,
    split_troubled,
    troubled,
    unmeasured,
)
from pytest_xeonperf.shell.gate_request import Side, split
from pytest_xeonperf.shell.gate_rounds import measure
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


_MOST_NAMES = 5


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
        built: Compiled files of the user's tree that no commit has, where base is another tree.
        seen: The rounds of the cases of this look, by id.
    """

    request: Request
    talk: Talk
    journal: Journal
    notes: list[str] = field(default_factory=list)
    built: tuple[str, ...] = ()
    courses: list[Course] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)

    def has_suites(self) -> bool:
        """Whether base has any of the suites that are asked for; those it has not are noted, and what else it lacks."""
        head, base = self.request.head.tree.directory, self.request.base.tree.directory
        _kept, missing, some = split(self.request.arguments, head, base)
        self.notes += [f"{path} is not in base: nothing to compare it with" for path in missing]
        left = dict.fromkeys((*self.request.base.tree.left, *self.request.head.tree.left))
        if left:
            named, others = list(left)[:_MOST_NAMES], len(left) - _MOST_NAMES
            more = f" and {others} more" if others > 0 else ""
            self.notes.append(
                f"in no commit, with code in it or hidden, and so not in the tree of a commit: {', '.join(named)}{more}"
            )
        self.built = () if self.request.base.tree.root == self.request.home else built_in_place(self.request.home)
        return some

    def lacking(self, compiled: tuple[str, ...]) -> tuple[str, ...]:
        """Which compiled files that head runs base has not: built in place, by no commit's doing."""
        base = self.request.base.tree.root
        return tuple(name for name in compiled if name in self.built and not (base / name).exists())

    def comparison(self, cases: list[ComparedCase], machines: Mapping[Side, Machine]) -> Comparison:
        """What it all comes to; carry-over is corrected for all cases together."""
        orders = judged_together([each.order for each in cases])
        cases = [replace(each, order=order) for each, order in zip(cases, orders, strict=True)]
        return Comparison(
            base_commit=self.request.base.tree.commit,
            head_commit=self.request.head.tree.commit,
            base_machine=machines[Side.BASE],
            head_machine=machines[Side.HEAD],
            cases=tuple(cases),
            notes=tuple(self.notes),
            tolerance=self.request.tolerance,
            alpha=self.request.settings.alpha,
            courses=tuple(self.courses),
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
            return [unmeasured(model, nameless(model), locations, found.reason, Outcome.INCONCLUSIVE)]
        self.courses.append(replace(found.course(model.label), confirming=bool(only)))
        self.notes += [f"{model.label} {name} is not in {side.value}" for name, side in found.missing.items()]
        pairs = {name: [list(astuple(pair)) for pair in pairs] for name, pairs in found.pairs.items()}
        self.journal.note("compared", {"model": model.label, "seed": seed, "pairs": pairs})
        named = [case for name in found.pairs for case in found.cases[name] or (alone(found, name),)]
        cases = [judged(model, case, found, locations, rule) for case in named]
        self.seen |= {case.case.id: seen_of(case.case, found) for case in cases if not isinstance(case.change, Unknown)}
        lacking = self.lacking(found.compiled)
        cases = [doubted(case, lacking) for case in cases]
        lost, refused = split_troubled(found)
        self.notes += [f"{model.label} {name}: {reason}" for name, reason in refused.items()]
        return cases + [troubled(model, found, name, locations) for name in lost]

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
                    only = frozenset(case.variant for case in red)
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


def _of_both(case_id: str, first: Mapping[str, Seen], second: Mapping[str, Seen], rule: ChangeRule) -> Change | Unknown:
    if case_id not in first or case_id not in second:
        return Unknown(reason="it has no times in one of the looks")
    return first[case_id].then(second[case_id]).change(rule)
