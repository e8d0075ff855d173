"""The table of results for a terminal: one row a case, the verdict last, as many columns as fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from pytest_xeonperf.records import Measurement, Outcome, Timing, Unknown
from pytest_xeonperf.units import show_bytes, show_estimate, show_ns, show_ratio, show_score, show_share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal

    from pytest_xeonperf.records import Result

_NOTHING = "-"
_GAP = 2  # blanks between columns
_FULL = 10_000  # a width that leaves nothing out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column and how much it is missed.

    Attributes:
        rank: 0 stays however narrow the terminal; of the others the highest goes first.
    """

    title: str
    show: Callable[[Result], str]
    rank: int
    justify: Literal["left", "right"] = "right"


def results_table(results: Sequence[Result], *, width: int = _FULL) -> Table:
    """The results as a table that fits `width` columns without wrapping: the least important columns give way.

    Case, variant, speed-up and verdict always stay. Colour repeats what the verdict's word says, and never says more.
    """
    columns = _fitting([(column, [column.show(result) for result in results]) for column in _COLUMNS], width)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_edge=False)
    for column, _ in columns:
        table.add_column(column.title, justify=column.justify, no_wrap=True, overflow="ellipsis")
    for place, result in enumerate(results):
        cells = [Text(shown[place]) for _, shown in columns]
        cells[-1].stylize(_style(result.verdict.outcome))
        table.add_row(*cells)
    return table


def result_notes(results: Sequence[Result]) -> tuple[str, ...]:
    """A line for each result that is not green: which case, which verdict, why. Plain text, no markup."""
    return tuple(
        f"{result.verdict.outcome.value} {result.case.label}: {result.verdict.reason}"
        for result in results
        if result.verdict.outcome is not Outcome.PASS
    )


def _fitting(columns: list[tuple[_Column, list[str]]], width: int) -> list[tuple[_Column, list[str]]]:
    """The columns that stay: drops the one missed least until the rest fits."""
    while sum(_needed(column, shown) for column, shown in columns) > width + _GAP:
        least = max(columns, key=lambda entry: entry[0].rank)
        if least[0].rank == 0:
            break
        columns = [entry for entry in columns if entry is not least]
    return columns


def _needed(column: _Column, shown: list[str]) -> int:
    return max(map(cell_len, (column.title, *shown))) + _GAP


def _style(outcome: Outcome) -> str:
    """Blue and orange, which most colour-blind people tell apart; bold where something is wrong."""
    if outcome is Outcome.PASS:
        return "blue"
    return "dim" if outcome.undecided else "bold orange3"


def _case(result: Result) -> str:
    return result.case.workload if result.case.alone else f"{result.case.workload}/{result.case.phase}"


def _speedup(result: Result) -> str:
    measured = result.measurement
    return show_estimate(measured.speedup) if isinstance(measured, Measurement) else _NOTHING


def _latency(result: Result) -> str:
    measured = result.measurement
    if isinstance(measured, Unknown):
        return _NOTHING
    median_ns = measured.median_ns if isinstance(measured, Timing) else measured.candidate_median_ns
    return f"{show_ns(median_ns)}/{measured.item}"


def _limit(result: Result) -> str:
    measured = result.measurement
    if not isinstance(measured, Measurement) or isinstance(measured.roofline, Unknown):
        return _NOTHING
    return show_share(measured.roofline.fraction)


def _fidelity(result: Result) -> str:
    """The first score: the one that its workload thinks most of."""
    measured = result.measurement
    if not isinstance(measured, Measurement) or not measured.fidelity:
        return _NOTHING
    score = measured.fidelity[0]
    return f"{score.name} {show_score(score.value)}"


def _memory(result: Result) -> str:
    measured = result.measurement
    if not isinstance(measured, Measurement):
        return _NOTHING
    peak, weights = measured.evidence.peak_rss_bytes, show_bytes(measured.evidence.weight_bytes)
    return f"{_NOTHING if isinstance(peak, Unknown) else show_bytes(peak)} / {weights}"


def _floor(result: Result) -> str:
    floor = result.verdict.floor_ratio
    return _NOTHING if isinstance(floor, Unknown) else show_ratio(floor)


_COLUMNS = (
    _Column(title="case", show=_case, rank=0, justify="left"),
    _Column(title="variant", show=lambda result: result.case.variant, rank=0, justify="left"),
    _Column(title="over", show=lambda result: result.case.over, rank=3, justify="left"),
    _Column(title="speed-up", show=_speedup, rank=0),
    _Column(title="floor", show=_floor, rank=1),
    _Column(title="latency", show=_latency, rank=2),
    _Column(title="limit", show=_limit, rank=4),
    _Column(title="fidelity", show=_fidelity, rank=5),
    _Column(title="RSS / weights", show=_memory, rank=6),
    _Column(title="verdict", show=lambda result: result.verdict.outcome.value, rank=0, justify="left"),
)
