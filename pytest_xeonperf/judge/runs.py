"""Two runs of the history, case by case: whose speed-up fell, and which floors are low for what is reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.comparison import overall, rank, significance
from pytest_xeonperf.judge.evidence import figure_shifts
from pytest_xeonperf.judge.operators import dispatch, explain
from pytest_xeonperf.judge.outgrown import proposal
from pytest_xeonperf.judge.shift import Shift, ShiftRule
from pytest_xeonperf.judge.surroundings import differences, excuses, in_words, why_not_comparable
from pytest_xeonperf.judge.verdict import levels
from pytest_xeonperf.records import NOT_RECORDED, Measurement, Outcome, Unknown
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pytest_xeonperf.judge.evidence import FigureShift
    from pytest_xeonperf.judge.operators import Dispatch, Explanation
    from pytest_xeonperf.judge.outgrown import Proposal
    from pytest_xeonperf.judge.surroundings import Difference
    from pytest_xeonperf.records import Acceptance, Case, Estimate, Machine, Result, Run


_Measured = Mapping[str, "tuple[Result, Measurement]"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One earlier run of a case: the floor that applied, and what it came to.

    Attributes:
        alike: Whether its machine has the fingerprint of the run that is judged: only then does it tell what sessions
            differ by.
    """

    floor_ratio: float | Unknown
    speedup: Estimate | Unknown
    alike: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the history knows of one case on the class of machine.

    Attributes:
        sessions: Before the run that is judged, oldest first.
        accepted: The latest word on it after the run that is compared with, and what was accepted.
        accepted_on: The machine of the run that was accepted.
    """

    sessions: tuple[Session, ...]
    accepted: tuple[Acceptance, Measurement] | Unknown
    accepted_on: Machine | Unknown = NOT_RECORDED


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftedCase:
    """One case of both runs.

    Attributes:
        base_speedup: That it is compared with: of the base run, or as it was accepted since.
        proposed: A higher floor, or why none.
        explained: The operators of the variant that explain how its latency changed, or why none are named.
        dispatch: Kernels that only one of the runs reached, also where no time changed.
        figures: Of memory and compilation, those that changed.
        surroundings: What changed about the machine, where a finding is put down to that and not to the commit.
    """

    case: Case
    location: str
    outcome: Outcome
    reason: str
    base_speedup: Estimate
    head_speedup: Estimate | Unknown
    shift: Shift | Unknown
    proposed: Proposal | Unknown
    explained: Explanation | Unknown
    dispatch: Dispatch | Unknown
    figures: tuple[FigureShift, ...]
    surroundings: str = ""

    def surely_faster(self, tolerance: float) -> bool:
        """Whether it gained for sure more than nobody minds losing."""
        return (
            self.outcome is Outcome.PASS
            and not isinstance(self.shift, Unknown)
            and self.shift.speedup.low_ratio > 1 + tolerance
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """Two runs, compared.

    Attributes:
        notes: What was not compared, and why; what was accepted.
        tolerance: Loss of speed-up that nobody minds: 0.05 is 5 %.
        alpha: Chance of any undeserved red over the whole comparison.
    """

    base: Run
    head: Run
    cases: tuple[ShiftedCase, ...]
    notes: tuple[str, ...]
    tolerance: float
    alpha: float

    @property
    def worst_first(self) -> tuple[ShiftedCase, ...]:
        """Red cases, undecided ones, those that are surely faster, the rest; within each the most significant first."""
        return tuple(sorted(self.cases, key=self._place))

    def _place(self, each: ShiftedCase) -> tuple[int, bool, float, float]:
        change = each.shift if isinstance(each.shift, Unknown) else each.shift.speedup
        significant, size = significance(change, broken=each.outcome.red)
        return rank(each.outcome), not each.surely_faster(self.tolerance), -significant, -size

    @property
    def environment(self) -> tuple[Difference, ...]:
        """What changed about the machine."""
        return differences(self.base.machine, self.head.machine)

    @property
    def outcome(self) -> Outcome:
        """One word for the whole."""
        measured = any(not isinstance(each.shift, Unknown) for each in self.cases)
        return overall([each.outcome for each in self.cases], measured=measured)


def compare_runs(
    base: Run, head: Run, past: Callable[[Case], Past], *, tolerance: float, alpha: float
) -> RunComparison:
    """Compare a run with an earlier one.

    Args:
        base: What is compared with.
        head: What is judged.
        past: What the history knows of a case of theirs.
        tolerance: Loss of speed-up that nobody minds: 0.05 is 5 %.
        alpha: Chance of any undeserved red over all cases, which share it evenly.
    """
    before, after = _measured(base), _measured(head)
    both = [case_id for case_id in after if case_id in before]
    broken = [_broken(before[result.case.id][1], result) for result in head.results if _is_broken(result, before)]
    timed = [case_id for case_id in both if after[case_id][0].case.preset != Preset.SMOKE]
    rule = ShiftRule(tolerance=tolerance, rates=levels(alpha, len(timed)))
    notes = _left_out(before, after, {each.case.id for each in broken})
    if changed := in_words(differences(base.machine, head.machine)):
        notes.append(f"the environment changed too: {changed}")
    if timed != both:
        notes.append("cases of the preset smoke: their times say nothing")
    cases = []
    for case_id in timed:
        result, measured = after[case_id]
        earlier, known = before[case_id][1], past(result.case)
        earlier_machine = base.machine
        if not isinstance(known.accepted, Unknown):
            if not isinstance(known.accepted_on, Unknown):
                earlier_machine = known.accepted_on
            acceptance, earlier = known.accepted
            notes.append(
                f"{acceptance.case.label}: as accepted by {acceptance.accepted_by} in run {acceptance.run_id}: "
                f"{acceptance.reason}"
            )
        cases.append(
            _shifted(
                result,
                before=earlier,
                after=measured,
                sessions=known.sessions,
                rule=rule,
                other_machine=why_not_comparable(base.machine, head.machine),
                surroundings=in_words(excuses(earlier_machine, head.machine)),
            )
        )
    whole = (*cases, *broken)
    return RunComparison(base=base, head=head, cases=whole, notes=tuple(notes), tolerance=tolerance, alpha=alpha)


_NOT_THE_COMMIT = "not put down to the commit, as the environment changed too"
_WORSE_THAN_SLOW = frozenset({Outcome.CRASHED, Outcome.FIDELITY_FAILED, Outcome.WRONG_KERNEL})


def _is_broken(result: Result, before: _Measured) -> bool:
    """Whether head crashed where base was measured."""
    return result.case.id in before and isinstance(result.measurement, Unknown) and result.verdict.outcome.red


def _broken(before: Measurement, result: Result) -> ShiftedCase:
    """A case that head has no figures of, because of its own code."""
    nothing = Unknown(reason=result.verdict.reason)
    return ShiftedCase(
        case=result.case,
        location=result.location,
        outcome=result.verdict.outcome,
        reason=result.verdict.reason,
        base_speedup=before.speedup,
        head_speedup=nothing,
        shift=nothing,
        proposed=nothing,
        explained=nothing,
        dispatch=nothing,
        figures=(),
    )


def _shifted(
    result: Result,
    *,
    before: Measurement,
    after: Measurement,
    sessions: Sequence[Session],
    rule: ShiftRule,
    other_machine: str,
    surroundings: str,
) -> ShiftedCase:
    """One case that both runs measured."""
    shift: Shift | Unknown
    pairless = _pairless(before, after)
    put_down_to = ""
    if other_machine:
        shift, outcome, reason = Unknown(reason=other_machine), Outcome.OTHER_MACHINE, other_machine
    elif pairless:
        shift, outcome, reason = Unknown(reason=pairless), Outcome.INCONCLUSIVE, pairless
    else:
        ratios = [each.speedup.ratio for each in sessions if each.alike and not isinstance(each.speedup, Unknown)]
        shift = rule.shift_of(before, after, ratios)
        outcome, reason = rule.judge(shift)
    if not other_machine and result.verdict.outcome in _WORSE_THAN_SLOW:
        outcome, reason = result.verdict.outcome, result.verdict.reason
    elif surroundings and (outcome is Outcome.REGRESSION or (isinstance(shift, Shift) and shift.drifted)):
        put_down_to = surroundings
        outcome, reason = Outcome.INCONCLUSIVE, f"{reason}; {_NOT_THE_COMMIT} ({put_down_to})"
    apart = Unknown(reason=other_machine)
    explained: Explanation | Unknown
    if other_machine:
        explained = apart
    elif outcome.undecided and not put_down_to and not (isinstance(shift, Shift) and shift.drifted):
        explained = Unknown(reason="what changed cannot be told from noise")
    else:
        explained = explain(before, after, tolerance=rule.tolerance)
    current = Session(floor_ratio=result.verdict.floor_ratio, speedup=after.speedup)
    return ShiftedCase(
        case=result.case,
        location=result.location,
        outcome=outcome,
        reason=reason,
        base_speedup=before.speedup,
        head_speedup=after.speedup,
        shift=shift,
        proposed=proposal([(each.floor_ratio, each.speedup) for each in (*sessions, current)]),
        explained=explained,
        dispatch=apart if other_machine else dispatch(before.evidence, after.evidence),
        figures=() if other_machine else figure_shifts(before.evidence, after.evidence, tolerance=rule.tolerance),
        surroundings=put_down_to,
    )


def _pairless(before: Measurement, after: Measurement) -> str:
    """Why two measurements cannot be told from noise at all; empty where both kept their pairs."""
    sides = (("base", before), ("head", after))
    without = [name for name, each in sides if not each.samples]
    if without:
        return f"no pairs of {' and '.join(without)} are kept: medians alone cannot be told from noise"
    timeless = [
        name for name, each in sides if any(min(pair.baseline_ns, pair.candidate_ns) <= 0 for pair in each.samples)
    ]
    return f"pairs of {' and '.join(timeless)} took no time" if timeless else ""


def _measured(run: Run) -> _Measured:
    """Results with pairs, by case; of several tests of one case the first."""
    found: dict[str, tuple[Result, Measurement]] = {}
    for result in run.results:
        if isinstance(result.measurement, Measurement):
            found.setdefault(result.case.id, (result, result.measurement))
    return found


def _left_out(before: _Measured, after: _Measured, told: Collection[str]) -> list[str]:
    only_base = [
        result.case.label for case_id, (result, _) in before.items() if case_id not in after and case_id not in told
    ]
    only_head = [result.case.label for case_id, (result, _) in after.items() if case_id not in before]
    return [f"only base measured {label}" for label in only_base] + [
        f"only head measured {label}" for label in only_head
    ]
