"""The cases of a gate: what the rounds of a model say of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import DataError
from pytest_xeonperf.judge.carryover import order_effect
from pytest_xeonperf.judge.change import Times
from pytest_xeonperf.judge.comparison import ComparedCase
from pytest_xeonperf.judge.looks import Seen
from pytest_xeonperf.judge.outlook import round_ns
from pytest_xeonperf.records import Case, Metric, Outcome, Unknown
from pytest_xeonperf.shell.gate_request import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_xeonperf.judge.change import ChangeRule
    from pytest_xeonperf.shell.gate_rounds import Measured
    from pytest_xeonperf.shell.gate_table import Model

_NOT_DRAWN = Unknown(reason="memory had room for one side only: they took turns, in an order that was not drawn")

OVER_ITSELF = "base"
"""`Case.over` of a variant that no test holds against another: a mere baseline."""


def judged(model: Model, case: Case, found: Measured, locations: Mapping[str, str], rule: ChangeRule) -> ComparedCase:
    """A case that was in the rounds."""
    try:
        rounds = seen_of(case, found)
        change = rounds.change(rule)
        of_round_ns = round_ns(found.contention, 1 + found.pairs[case.variant][-1].round_index)
        outcome, reason = rule.judge(rounds.own.logs(), change, of_round_ns)
    except DataError as error:
        return unmeasured(model, case, locations, str(error), Outcome.INCONCLUSIVE)
    return replace(
        unmeasured(model, case, locations, reason, outcome),
        item=found.item,
        items_per_call=found.items_per_call,
        change=change,
        pairs=tuple(found.pairs[case.variant]),
        order=_NOT_DRAWN if found.in_turns else order_effect(found.pairs[case.variant]),
    )


def seen_of(case: Case, found: Measured) -> Seen:
    """The rounds of a case.

    Raises:
        DataError: It has no times.
    """
    own = found.times(case.variant)
    if isinstance(own, Unknown):
        raise DataError(own.reason)
    return Seen(own=own, baseline=_baseline_of(len(own.base_ns), case, found))


def _baseline_of(rounds: int, case: Case, found: Measured) -> Times | Unknown:
    """The baseline's times in the first rounds; it may itself have left before the variant did."""
    times = found.times(case.over)
    if isinstance(times, Unknown):
        return times
    return Times(base_ns=times.base_ns[:rounds], head_ns=times.head_ns[:rounds])


def doubted(case: ComparedCase, lacking: tuple[str, ...]) -> ComparedCase:
    """What is green against a base that lacks compiled code which head runs: it may only have held a slow fallback."""
    if case.outcome is not Outcome.PASS or not lacking:
        return case
    others = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
    reason = (
        f"head runs {lacking[0]}{others}, compiled and in no commit, and base has it not: base may be slow for that"
    )
    return replace(case, outcome=Outcome.INCONCLUSIVE, reason=reason)


def troubled(model: Model, found: Measured, name: str, locations: Mapping[str, str]) -> ComparedCase:
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
    return unmeasured(model, cases[0] if cases else alone(found, name), locations, reason, outcome)


def split_troubled(found: Measured) -> tuple[list[str], dict[str, str]]:
    """Variants in trouble that need a verdict, and those that neither side can run, with the reason."""
    refused = {
        name: trouble.reason
        for (side, name), trouble in found.troubles.items()
        if side is Side.HEAD and trouble.skipped and (other := found.troubles.get((Side.BASE, name))) and other.skipped
    }
    return [name for name in dict.fromkeys(name for _side, name in found.troubles) if name not in refused], refused


def alone(found: Measured, name: str) -> Case:
    """The case of a variant that no test holds against another, such as eager FP32 itself."""
    like = next((cases[0] for cases in found.cases.values() if cases), None)
    if like is None:
        return Case(workload="?", phase="?", preset="?", variant=name, metric=Metric.LATENCY, over=OVER_ITSELF)
    return replace(like, variant=name, over=OVER_ITSELF)


def nameless(model: Model) -> Case:
    """The case of a model that never got as far as its variants."""
    return Case(workload=model.label, phase="-", preset="-", variant="-", metric=Metric.LATENCY, over=OVER_ITSELF)


def unmeasured(model: Model, case: Case, locations: Mapping[str, str], reason: str, outcome: Outcome) -> ComparedCase:
    """A case without a change, as yet or for good."""
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
