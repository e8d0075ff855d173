"""What stands beside a number so that it can be believed, as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Bound, Unknown
from pytest_xeonperf.report.environment import Fact
from pytest_xeonperf.report.room import Room
from pytest_xeonperf.report.strip import Strip, strip
from pytest_xeonperf.units import (
    show_bytes,
    show_chance,
    show_estimate,
    show_interval,
    show_ns,
    show_rate,
    show_ratio,
    show_score,
    show_share,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_xeonperf.judge.carryover import OrderEffect
    from pytest_xeonperf.records import Contention, Evidence, Measurement, Roofline, Sample

_BOUND_WORDS = {Bound.BANDWIDTH: "of bandwidth", Bound.COMPUTE: "of GEMM peak"}

_ALONE = Room.of(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One round as a row of the table beside the strip plot."""

    round_number: int
    baseline: str
    candidate: str
    ratio: str
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRow:
    """One operator of the profiled call; `duration` is its share of a timed one."""

    name: str
    share: str
    duration: str
    calls: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """How many a page has no room for, of the lists of one case."""

    pairs: int = 0
    operators: int = 0
    kernels: int = 0
    left_in_bf16: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a case that was measured has to show, as text but for the plot.

    Attributes:
        share: Fraction of the binding limit with the limit's name as note, or why it is unknown.
        evidence: Memory, compilation, quantisation.
        operators: Of one call, those that took most time first; or why they are unknown.
        method: How the figure was come by.
        carry_over: What the order within the rounds did to the speed-up; empty where no carry-over was seen.
        left_out: Of the lists.
    """

    speedup: str
    interval: str
    confidence: str
    item: str
    baseline: str
    candidate: str
    rate: str
    share: Fact | Unknown
    fidelity: tuple[Fact, ...]
    strip: Strip
    pairs: tuple[Pair, ...]
    evidence: tuple[Fact, ...]
    operators: tuple[OperatorRow, ...] | Unknown
    kernels: tuple[str, ...]
    left_in_bf16: tuple[str, ...]
    method: tuple[Fact, ...]
    carry_over: str
    left_out: LeftOut


def measured(
    measurement: Measurement, floor_ratio: float | Unknown, order: OrderEffect | Unknown, room: Room = _ALONE
) -> Measured:
    """What one measurement has to show, with what the order within its rounds did to it, as far as there is room."""
    speedup, lines = measurement.speedup, room.lines
    operators = _operators(measurement)
    return Measured(
        speedup=show_ratio(speedup.ratio),
        interval=show_interval(speedup),
        confidence=show_share(speedup.confidence),
        item=measurement.item,
        baseline=show_ns(measurement.baseline_median_ns),
        candidate=show_ns(measurement.candidate_median_ns),
        rate=show_rate(1e9 / max(measurement.candidate_median_ns, 1), f"{measurement.item}/s"),
        share=share_of_limit(measurement.roofline),
        fidelity=fidelity_facts(measurement),
        strip=strip(measurement.samples, speedup, floor_ratio, most=room.dots),
        pairs=_pairs(measurement.samples[:lines]),
        evidence=_evidence(measurement.evidence),
        operators=operators if isinstance(operators, Unknown) else operators[:lines],
        kernels=measurement.evidence.kernels[:lines],
        left_in_bf16=measurement.evidence.left_in_bf16[:lines],
        method=(*_method(measurement), *_order(order)),
        carry_over=order.in_words if not isinstance(order, Unknown) and order.seen else "",
        left_out=_left_out(measurement, lines),
    )


def list_lengths(measurement: Measurement) -> tuple[int, ...]:
    """Of pairs, operators, kernels and layers, in the order of `LeftOut`."""
    evidence = measurement.evidence
    operators = 0 if isinstance(evidence.operators, Unknown) else len(evidence.operators)
    return (len(measurement.samples), operators, len(evidence.kernels), len(evidence.left_in_bf16))


def _left_out(measurement: Measurement, lines: int) -> LeftOut:
    pairs, operators, kernels, layers = (max(0, length - lines) for length in list_lengths(measurement))
    return LeftOut(pairs=pairs, operators=operators, kernels=kernels, left_in_bf16=layers)


def share_of_limit(roofline: Roofline | Unknown) -> Fact | Unknown:
    """The fraction of the limit that binds a case, and which limit that is."""
    if isinstance(roofline, Unknown):
        return roofline
    return Fact(name="of limit", value=show_share(roofline.fraction), note=_BOUND_WORDS[roofline.bound])


def fidelity_facts(measurement: Measurement) -> tuple[Fact, ...]:
    """The scores against the FP32 eager reference."""
    return tuple(Fact(name=score.name, value=show_score(score.value)) for score in measurement.fidelity)


def _pairs(samples: Iterable[Sample]) -> tuple[Pair, ...]:
    return tuple(
        Pair(
            round_number=sample.round_index + 1,
            baseline=show_ns(sample.baseline_ns),
            candidate=show_ns(sample.candidate_ns),
            ratio=show_ratio(sample.baseline_ns / sample.candidate_ns) if sample.candidate_ns else "no time",
            order="baseline" if sample.baseline_position < sample.candidate_position else "candidate",
        )
        for sample in samples
    )


def _evidence(evidence: Evidence) -> tuple[Fact, ...]:
    peak = evidence.peak_rss_bytes
    return (
        Fact(name="weights", value=show_bytes(evidence.weight_bytes)),
        Fact(name="peak memory", value="unknown", note=peak.reason)
        if isinstance(peak, Unknown)
        else Fact(name="peak memory", value=show_bytes(peak), note="resident, in a fresh process"),
        Fact(name="warm-up", value=show_ns(evidence.compile_ns), note="compilation included"),
        Fact(name="graph breaks", value=str(evidence.graph_breaks), note=evidence.first_break),
        Fact(name="recompiles", value=str(evidence.recompiles), note="after the first call"),
    )


def _operators(measurement: Measurement) -> tuple[OperatorRow, ...] | Unknown:
    operators = measurement.evidence.operators
    if isinstance(operators, Unknown):
        return operators
    call_ns = measurement.candidate_median_ns * measurement.items_per_call
    shares = [each.self_ns / max(sum(each.self_ns for each in operators), 1) for each in operators]
    return tuple(
        OperatorRow(
            name=each.name,
            share=show_share(share),
            duration=show_ns(share * call_ns),
            calls=str(each.calls) if each.calls else "",
        )
        for each, share in zip(operators, shares, strict=True)
    )


def _method(measurement: Measurement) -> tuple[Fact, ...]:
    return (
        Fact(
            name="estimate",
            value=show_estimate(measurement.speedup),
            note=f"{_estimate_of(measurement)}, interval at {show_share(measurement.speedup.confidence)}",
        ),
        Fact(
            name="pairs",
            value=str(len(measurement.samples)),
            note=f"{_in_processes(measurement)}{_many(measurement.voided_rounds, 'round')} voided by the canary"
            f"{_kept(measurement.disturbed_rounds)}",
        ),
        Fact(
            name="timed",
            value=f"{_many(measurement.items_per_call, measurement.item)} in one call",
            note="both sides in every round, in random order",
        ),
        _meanwhile(measurement.contention),
        Fact(name="seed", value=str(measurement.seed), note="of the order"),
    )


def _estimate_of(measurement: Measurement) -> str:
    of_pairs = "median of paired log-ratios"
    return f"mean over processes of their {of_pairs}" if _processes(measurement) > 1 else of_pairs


def _kept(disturbed_rounds: int | Unknown) -> str:
    """Rounds that the canary would have voided, had there been time for others."""
    if isinstance(disturbed_rounds, Unknown) or not disturbed_rounds:
        return ""
    return f", {disturbed_rounds} kept although the machine was disturbed: the time for others was spent"


def _processes(measurement: Measurement) -> int:
    return len({sample.process for sample in measurement.samples})


def _in_processes(measurement: Measurement) -> str:
    processes = _processes(measurement)
    return f"in {processes} processes; " if processes > 1 else ""


def _meanwhile(contention: Contention | Unknown) -> Fact:
    """What else used the cores."""
    if isinstance(contention, Unknown):
        return Fact(name="shared", value="unknown", note=contention.reason)
    stolen, others = (show_share(contention.share(spent)) for spent in (contention.stolen_ns, contention.others_ns))
    held = f"throttled for {show_ns(contention.throttled_ns)}" if contention.throttled_ns else "not throttled"
    return Fact(name="shared", value=f"{stolen} stolen, {others} others'", note=f"of the cores' time; {held}")


def _order(order: OrderEffect | Unknown) -> tuple[Fact, ...]:
    """What came of the order, where there are pairs enough to tell."""
    if isinstance(order, Unknown):
        return ()
    found = "carry-over" if order.seen else "no carry-over seen"
    return (Fact(name="order", value=order.in_words, note=f"{found} (p = {show_chance(order.p_value)})"),)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
