"""Why a case of a comparison is not what it was: sentences, and behind them every operator and kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.exchange.why_words import NAMED, evidence_in_words, lines_of, operators_in_words
from pytest_xeonperf.judge.evidence import figure_shifts
from pytest_xeonperf.judge.operators import dispatch, explain
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_count, show_difference_ns, show_ns, show_share

if TYPE_CHECKING:
    from pytest_xeonperf.judge.operators import Contribution, Dispatch, Explanation
    from pytest_xeonperf.judge.runs import ShiftedCase
    from pytest_xeonperf.records import Measurement

_MOST = 100
"""Lines of one list, however few lists there are; a run from elsewhere may bring any number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChange:
    """One operator of both runs, as text."""

    name: str
    fate: str
    base: str
    head: str
    difference: str
    share: str
    calls: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelGroup:
    """Kernels that only one of two runs reached, where there are too many for a sentence; `more` are not named."""

    title: str
    names: tuple[str, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What explains one case.

    Attributes:
        lines: Sentences; none where there is nothing to explain.
        operators: Of every operator as far as there is room, what contributes most first; none where the latency did
            not move.
        more_operators: How many others there are.
    """

    lines: tuple[str, ...]
    operators: tuple[OperatorChange, ...]
    kernels: tuple[KernelGroup, ...]
    more_operators: int = 0


NOTHING_TO_SAY = Why(lines=(), operators=(), kernels=())


def why_of(each: ShiftedCase, *, lines: int = _MOST) -> Why:
    """What explains one case of two runs; `lines` are those of each list."""
    return _why(lines_of(each), each.explained, each.dispatch, min(lines, _MOST))


def why_between(before: Measurement, after: Measurement, *, tolerance: float) -> Why:
    """What explains how the latency of a case changed from one measurement to another, as far as anything does.

    Args:
        before: Of the case while it was fast.
        after: Of the case since.
        tolerance: As for `explain`.
    """
    explained = explain(before, after, tolerance=tolerance)
    found = dispatch(before.evidence, after.evidence)
    figures = figure_shifts(before.evidence, after.evidence, tolerance=tolerance)
    if isinstance(explained, Unknown):
        first = f"no operator explains it: {explained.reason}"
    else:
        first = operators_in_words(explained)
    return _why((first, *evidence_in_words(found, figures)), explained, found, _MOST)


def _why(said: tuple[str, ...], explained: Explanation | Unknown, found: Dispatch | Unknown, most: int) -> Why:
    operators = () if isinstance(explained, Unknown) else _operators(explained)
    return Why(
        lines=said,
        operators=operators[:most],
        kernels=() if isinstance(found, Unknown) else _kernels(found, most),
        more_operators=max(0, len(operators) - most),
    )


def _operators(explained: Explanation) -> tuple[OperatorChange, ...]:
    return tuple(
        OperatorChange(
            name=each.name,
            fate=each.fate.value,
            base=show_ns(each.before_ns),
            head=show_ns(each.after_ns),
            difference=show_difference_ns(each.difference_ns),
            share=show_share(explained.share_of(each)),
            calls=_calls(each),
        )
        for each in explained.contributions
    )


def _calls(each: Contribution) -> str:
    before, after = each.calls_before, each.calls_after
    return str(before or "") if before == after else f"{before} → {after}"


def _kernels(found: Dispatch, most: int) -> tuple[KernelGroup, ...]:
    both = (("appeared", found.appeared), ("vanished", found.vanished))
    return tuple(
        KernelGroup(
            title=f"{show_count(len(names), 'kernel')} that {fate}",
            names=names[:most],
            more=max(0, len(names) - most),
        )
        for fate, names in both
        if len(names) > NAMED
    )
