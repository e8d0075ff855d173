"""Why a case is not what it was, in words: the operators that explain it, kernels, memory and compilation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.judge.change import Moved
from pytest_xeonperf.judge.evidence import Figure
from pytest_xeonperf.judge.operators import Fate
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.units import show_bytes, show_change, show_count, show_difference_ns, show_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.judge.evidence import FigureShift
    from pytest_xeonperf.judge.operators import Contribution, Dispatch, Explanation
    from pytest_xeonperf.judge.runs import ShiftedCase
    from pytest_xeonperf.judge.shift import Shift

NAMED = 3
"""Operators or kernels in one line."""

FIGURE_NAMES = {
    Figure.PEAK_RSS: "peak memory",
    Figure.WEIGHTS: "weights",
    Figure.GRAPH_BREAKS: "graph breaks",
    Figure.RECOMPILES: "recompiles",
}
_IN_BYTES = frozenset({Figure.PEAK_RSS, Figure.WEIGHTS})


def lines_of(each: ShiftedCase) -> tuple[str, ...]:
    """Everything that explains a case or changed about it: a line each; of operators only where its latency moved."""
    lines = []
    if not isinstance(each.explained, Unknown):
        lines.append(f"{operators_in_words(each.explained)}{_meanwhile(each.shift)}")
    elif each.outcome.red and not isinstance(each.shift, Unknown):
        lines.append(f"no operator explains it: {each.explained.reason}")
    return (*lines, *evidence_in_words(each.dispatch, each.figures))


def evidence_in_words(found: Dispatch | Unknown, figures: Sequence[FigureShift]) -> tuple[str, ...]:
    """What else changed between two measurements: kernels, memory and compilation, a line each."""
    kernels = () if isinstance(found, Unknown) else kernels_in_words(found)
    return (*kernels, *(f"{FIGURE_NAMES[shift.figure]}: {figure_in_words(shift)}" for shift in figures))


def _meanwhile(shift: Shift | Unknown) -> str:
    """That the baseline moved too: then the machine may have, and with it every operator."""
    if isinstance(shift, Unknown) or shift.moved is not Moved.BOTH:
        return ""
    return f"; its baseline takes {show_change(1 / shift.baseline_ratio)} time too, so the machine may have changed"


def operators_in_words(explained: Explanation) -> str:
    """The change of one call and what made most of it: ``+1.20 ms a call: aten::mm +1.00 ms (83 %)``."""
    leading = explained.leading[:NAMED]
    changed = f"{show_difference_ns(explained.difference_ns)} a call"
    if not leading:
        return f"{changed}, spread over many operators"
    return f"{changed}: {', '.join(_told(explained, each) for each in leading)}"


def _told(explained: Explanation, each: Contribution) -> str:
    fate = f" {each.fate}," if each.fate in {Fate.APPEARED, Fate.VANISHED} else ""
    return f"{each.name}{fate} {show_difference_ns(each.difference_ns)} ({show_share(explained.share_of(each))})"


def kernels_in_words(found: Dispatch) -> tuple[str, ...]:
    """``kernels that appeared: onednn::matmul:brg_matmul:avx512_core_bf16``; nothing where the same ones ran."""
    both = (("appeared", found.appeared), ("vanished", found.vanished))
    return tuple(f"kernels that {fate}: {_few(names)}" for fate, names in both if names)


def _few(names: Sequence[str]) -> str:
    more = f" and {show_count(len(names) - NAMED, 'other')}" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def figure_in_words(shift: FigureShift) -> str:
    """Both values, and why a graph broke: ``0, now 2 (numpy)``."""
    before, after = (figure_value(shift.figure, value) for value in (shift.before, shift.after))
    return f"{before}, now {after}{f' ({shift.reason})' if shift.reason else ''}"


def figure_value(figure: Figure, value: int) -> str:
    """A value of a figure with its unit."""
    return show_bytes(value) if figure in _IN_BYTES else str(value)
