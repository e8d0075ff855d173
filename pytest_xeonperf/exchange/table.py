"""The table of results for a terminal: one row a case, the verdict last, as many columns as fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from pytest_xeonperf.exchange.public import achieved_bytes_per_s, achieved_flop_per_s, items_per_s
from pytest_xeonperf.judge.carryover import OrderEffect, order_effects
from pytest_xeonperf.judge.contention import shared_words
from pytest_xeonperf.records import Bound, Isa, Measurement, Outcome, Timing, Unknown
from pytest_xeonperf.units import (
    show_bytes,
    show_chance,
    show_count,
    show_estimate,
    show_ns,
    show_rate,
    show_ratio,
    show_score,
    show_share,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Literal

    from pytest_xeonperf.records import Result

_NOTHING = "-"
_GAP = 2  # blanks between columns
_FULL = 10_000  # a width that leaves nothing out
_TOLD_APART = {"prompt": "TTFT", "token": "TPOT"}
"""What people call the latency of these items: time to first token, time per output token."""

_FIRST_SCORES = ("kl", "iou")
"""What says more of a language model, or of masks, than the cosine that every output has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column and how much it is missed.

    Attributes:
        rank: 0 stays however narrow the terminal; of the others the highest goes first.
        instead: What takes its place when it goes: the same in fewer words.
    """

    title: str
    show: Callable[[Result], str]
    rank: int
    justify: Literal["left", "right"] = "right"
    instead: tuple[_Column, ...] = ()


def results_table(results: Sequence[Result], *, width: int = _FULL) -> Table:
    """The results as a table that fits `width` columns without wrapping: the least important columns give way.

    Case, variant, speed-up and verdict always stay. Colour repeats what the verdict's word says, and never says more.
    """
    columns = _fitting([_shown(column, results) for column in _columns()], results, width)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_edge=False)
    for column, _ in columns:
        table.add_column(column.title, justify=column.justify, no_wrap=True, overflow="ellipsis")
    for place, result in enumerate(results):
        cells = [Text(shown[place]) for _, shown in columns]
        cells[-1].stylize(_style(result.verdict.outcome))
        table.add_row(*cells)
    return table


def result_notes(results: Sequence[Result]) -> tuple[str, ...]:
    """Plain text, no markup: a line for each result that is not green, is not all it is called, or has carry-over."""
    not_green = [
        f"{result.verdict.outcome.value} {result.case.label}: {result.verdict.reason}"
        for result in results
        if result.verdict.outcome is not Outcome.PASS
    ]
    in_part = [
        f"in part {result.case.label}: {show_count(len(left), 'layer')} left to torch, first {left[0]}"
        for result in results
        if isinstance(result.measurement, Measurement) and (left := result.measurement.evidence.left_in_bf16)
    ]
    carried = [
        f"carry-over {result.case.label}: {effect.in_words} (p = {show_chance(effect.p_value)})"
        for result, effect in zip(results, order_effects(results), strict=True)
        if isinstance(effect, OrderEffect) and effect.seen
    ]
    return (*not_green, *in_part, *carried, *_shared(results))


def _shared(results: Sequence[Result]) -> Iterator[str]:
    """A line for each ladder beside which others used the cores. Variants of one ladder ran in the same rounds."""
    told = set()
    for result in results:
        case, measured = result.case, result.measurement
        if not isinstance(measured, Measurement):
            continue
        words, where = shared_words(measured.contention), f"{case.workload}/{case.phase} [{case.preset}]"
        if words and where not in told:
            told.add(where)
            yield f"shared {where}: {words}"


def _shown(column: _Column, results: Sequence[Result]) -> tuple[_Column, list[str]]:
    return column, [column.show(result) for result in results]


def _fitting(
    columns: list[tuple[_Column, list[str]]], results: Sequence[Result], width: int
) -> list[tuple[_Column, list[str]]]:
    """The columns that stay: the one missed least gives way until the rest fits."""
    while sum(_needed(column, shown) for column, shown in columns) > width + _GAP:
        least = max(columns, key=lambda entry: entry[0].rank)
        if least[0].rank == 0:
            break
        place = columns.index(least)
        columns[place : place + 1] = [_shown(column, results) for column in least[0].instead]
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
    """The time of one item, as people name it: ``TTFT 1.04 s``, ``6.82 s/image``."""
    measured = result.measurement
    if isinstance(measured, Unknown):
        return _NOTHING
    median_ns = measured.median_ns if isinstance(measured, Timing) else measured.candidate_median_ns
    if measured.item in _TOLD_APART and "batch=" not in result.case.workload:  # of a batch, it is each one's share
        return f"{_TOLD_APART[measured.item]} {show_ns(median_ns)}"
    return f"{show_ns(median_ns)}/{measured.item}"


def _latency_and_rate(result: Result) -> str:
    """The same with its inverse, but for prompts: nobody counts those by the second."""
    measured = result.measurement
    if isinstance(measured, Unknown) or measured.item == "prompt":
        return _latency(result)
    per_s = items_per_s(measured)
    rate = "" if isinstance(per_s, Unknown) else f" ({show_rate(per_s, f'{measured.item}/s')})"
    return _latency(result) + rate


def _limit(result: Result) -> str:
    measured = result.measurement
    if not isinstance(measured, Measurement) or isinstance(measured.roofline, Unknown):
        return _NOTHING
    return show_share(measured.roofline.fraction)


def _limit_and_rate(result: Result) -> str:
    measured = result.measurement
    if not isinstance(measured, Measurement) or isinstance(measured.roofline, Unknown):
        return _NOTHING
    if measured.roofline.bound is Bound.BANDWIDTH:
        rate, unit = achieved_bytes_per_s(measured), "B/s"
    else:
        rate, unit = achieved_flop_per_s(measured), "FLOP/s"
    return _limit(result) + ("" if isinstance(rate, Unknown) else f" ({show_rate(rate, unit)})")


def _fidelity(result: Result) -> str:
    """The score that its workload thinks most of."""
    measured = result.measurement
    if not isinstance(measured, Measurement) or not measured.fidelity:
        return _NOTHING
    scores = {score.name: score for score in measured.fidelity}
    score = next((scores[name] for name in _FIRST_SCORES if name in scores), measured.fidelity[0])
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


def _floor_and_isa(result: Result) -> str:
    """The floor and the instruction set it is for, if it is for one: several may be given, and this one applied."""
    isas = [check.isa for check in result.verdict.expectations if check.name == "min_speedup"]
    return " ".join([_floor(result), *(isa for isa in isas if isa != Isa.GENERIC)])


def _columns() -> tuple[_Column, ...]:
    """All of them. Rates go before any column does; the instruction set of the floor stays as long as anything can."""
    floor = _Column(title="floor", show=_floor, rank=1)
    latency = _Column(title="latency", show=_latency, rank=3)
    limit = _Column(title="limit", show=_limit, rank=5)
    return (
        _Column(title="case", show=_case, rank=0, justify="left"),
        _Column(title="variant", show=lambda result: result.case.variant, rank=0, justify="left"),
        _Column(title="over", show=lambda result: result.case.over, rank=4, justify="left"),
        _Column(title="speed-up", show=_speedup, rank=0),
        _Column(title="floor", show=_floor_and_isa, rank=2, instead=(floor,)),
        _Column(title="latency", show=_latency_and_rate, rank=8, instead=(latency,)),
        _Column(title="limit", show=_limit_and_rate, rank=9, instead=(limit,)),
        _Column(title="fidelity", show=_fidelity, rank=6),
        _Column(title="RSS / weights", show=_memory, rank=7),
        _Column(title="verdict", show=lambda result: result.verdict.outcome.value, rank=0, justify="left"),
    )
