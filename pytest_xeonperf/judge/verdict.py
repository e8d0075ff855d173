"""From a measurement and the promises of its test to one word with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.betting import Decision, decide, log_ratios, pairs_to_decide
from pytest_xeonperf.judge.expectations import LOWER_IS_BETTER, threshold_here
from pytest_xeonperf.records import Expectation, Isa, Outcome, Unknown, Verdict
from pytest_xeonperf.units import show_bytes, show_estimate, show_ns, show_ratio, show_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_xeonperf.judge.expectations import Promises
    from pytest_xeonperf.records import Measurement

TOO_FAST_FRACTION = 1.25
"""Above this share of the measured limit a result is not believed. The limit is itself measured, within some 10 %."""


class Speed(Enum):
    """Whether floors and latencies are judged: the smoke preset is too small for its times to mean anything."""

    JUDGED = "judged"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Error rates of a run.

    Attributes:
        pass_alpha: For each case: chance of a pass that is not deserved.
        red_alpha: For each case, already divided by the number of cases: over the whole run, the chance that any red
            floor is undeserved is at most `pass_alpha` (Bonferroni).
    """

    pass_alpha: float
    red_alpha: float


def levels(alpha: float, cases: int) -> Levels:
    """The error rates for a run of so many cases, controlled at `alpha`."""
    return Levels(pass_alpha=alpha, red_alpha=alpha / max(1, cases))


def judge(measurement: Measurement, promises: Promises, *, isa: Isa, rates: Levels, speed: Speed) -> Verdict:
    """The verdict for one case. A wrong answer outweighs a wrong kernel, which outweighs a slow one."""
    floor, ceiling = threshold_here(promises.floors, isa), threshold_here(promises.ceilings, isa)
    checks: list[tuple[Outcome, Expectation]] = []
    checks += _fidelity(measurement, promises)
    checks += _path(measurement, promises)
    checks += _memory(measurement, promises)
    if speed is Speed.JUDGED:
        checks += _limits(measurement, promises)
        checks += [] if isinstance(floor, Unknown) else [_floor(measurement, floor.ratio, floor.isa, rates)]
        checks += [] if isinstance(ceiling, Unknown) else [_ceiling(measurement, ceiling.ratio, ceiling.isa, rates)]
    failed = [(outcome, check) for outcome, check in checks if not check.held]
    expectations = tuple(check for _, check in checks)
    floor_ratio = floor if isinstance(floor, Unknown) else floor.ratio
    if failed:
        red = [pair for pair in failed if pair[0].red]
        outcome = (red or failed)[0][0]
        reason = "; ".join(f"{c.name}: {c.found}, required {c.required}" for _, c in (red or failed))
    elif speed is Speed.JUDGED and promises.floors and isinstance(floor, Unknown):
        outcome, reason = Outcome.OTHER_MACHINE, floor.reason
    elif speed is Speed.JUDGED and promises.ceilings and isinstance(ceiling, Unknown):
        outcome, reason = Outcome.OTHER_MACHINE, ceiling.reason
    else:
        outcome = Outcome.PASS
        reason = "" if speed is Speed.JUDGED else "speed is not judged at this preset"
    return Verdict(outcome=outcome, reason=reason, floor_ratio=floor_ratio, expectations=expectations)


def settled(logs: tuple[float, ...], promises: Promises, isa: Isa, rates: Levels) -> bool:
    """Whether more pairs could no longer change what floor and ceiling say: the stopping rule of a case."""
    floor, ceiling = threshold_here(promises.floors, isa), threshold_here(promises.ceilings, isa)
    decisions = [] if isinstance(floor, Unknown) else [_decide(logs, floor.ratio, rates)]
    decisions += [] if isinstance(ceiling, Unknown) else [_decide(_inverted(logs), 1 / ceiling.ratio, rates)]
    return Decision.OPEN not in decisions


def _floor(measurement: Measurement, ratio: float, isa: Isa, rates: Levels) -> tuple[Outcome, Expectation]:
    logs = log_ratios(measurement.samples)
    decision = _decide(logs, ratio, rates)
    outcome = Outcome.BELOW_FLOOR if decision is Decision.BELOW else Outcome.INCONCLUSIVE
    found = show_estimate(measurement.speedup) + _unless_decided(decision, logs, ratio, rates)
    return outcome, Expectation(
        name="min_speedup",
        required=f"{show_ratio(ratio)} over {measurement.case.over}",
        found=found,
        held=decision is Decision.ABOVE,
        isa=isa.value,
    )


def _ceiling(measurement: Measurement, ratio: float, isa: Isa, rates: Levels) -> tuple[Outcome, Expectation]:
    """The same upside down: more than was ever possible says that the baseline has become slower."""
    logs = _inverted(log_ratios(measurement.samples))
    decision = _decide(logs, 1 / ratio, rates)
    outcome = Outcome.TOO_FAST if decision is Decision.BELOW else Outcome.INCONCLUSIVE
    found = show_estimate(measurement.speedup) + _unless_decided(decision, logs, 1 / ratio, rates)
    if decision is Decision.BELOW:
        found += f", {measurement.case.over} at {show_ns(measurement.baseline_median_ns)}"
    return outcome, Expectation(
        name="max_speedup",
        required=f"at most {show_ratio(ratio)} over {measurement.case.over}",
        found=found,
        held=decision is Decision.ABOVE,
        isa=isa.value,
    )


def _decide(logs: Sequence[float], ratio: float, rates: Levels) -> Decision:
    return decide(logs, ratio, pass_alpha=rates.pass_alpha, red_alpha=rates.red_alpha)


def _inverted(logs: Sequence[float]) -> tuple[float, ...]:
    return tuple(-value for value in logs)


def _unless_decided(decision: Decision, logs: Sequence[float], ratio: float, rates: Levels) -> str:
    """After how many pairs nothing was decided, and how many would probably do."""
    if decision is not Decision.OPEN:
        return ""
    needed = pairs_to_decide(logs, ratio, pass_alpha=rates.pass_alpha, red_alpha=rates.red_alpha)
    if isinstance(needed, Unknown):
        return f" after {len(logs)} pairs, undecided ({needed.reason})"
    return f" after {len(logs)} pairs, undecided (about {needed} would do)"


def _fidelity(measurement: Measurement, promises: Promises) -> Iterable[tuple[Outcome, Expectation]]:
    scores = {score.name: score.value for score in measurement.fidelity}
    for name, bound in promises.fidelity:
        ceiling = name in LOWER_IS_BETTER
        value = scores.get(name, float("nan"))  # a figure that was not measured compares as not held
        yield (
            Outcome.FIDELITY_FAILED,
            _expectation(
                f"min_fidelity({name})",
                required=f"{'at most' if ceiling else 'at least'} {bound:g}",
                found=f"{value:.5g}" if name in scores else "not measured",
                held=value <= bound if ceiling else value >= bound,
            ),
        )


def _path(measurement: Measurement, promises: Promises) -> Iterable[tuple[Outcome, Expectation]]:
    evidence = measurement.evidence
    for kernel in promises.kernels:
        found = [name for name in evidence.kernels if fnmatchcase(name, f"*{kernel}*")]
        libraries_own = sorted(evidence.kernels, key=lambda name: "onednn::" not in name)  # where an ISA shows
        seen = ", ".join(libraries_own[:3] if "onednn" in kernel or "amx" in kernel else evidence.kernels[:3])
        yield (
            Outcome.WRONG_KERNEL,
            _expectation(
                "uses_kernel", required=kernel, found=found[0] if found else f"only {seen}, ...", held=bool(found)
            ),
        )
    counts = (
        ("max_graph_breaks", evidence.graph_breaks, promises.max_graph_breaks, evidence.first_break),
        ("max_recompiles", evidence.recompiles, promises.max_recompiles, ""),
    )
    for name, count, bound, detail in counts:
        if bound != float("inf"):
            found_text = f"{count} ({detail})" if detail else f"{count}"
            yield (
                Outcome.WRONG_KERNEL,
                _expectation(name, required=f"at most {bound:g}", found=found_text, held=count <= bound),
            )


def _limits(measurement: Measurement, promises: Promises) -> Iterable[tuple[Outcome, Expectation]]:
    median_ns = measurement.candidate_median_ns
    if promises.max_latency_ns != float("inf"):
        required = f"at most {show_ns(promises.max_latency_ns)}"
        held = median_ns <= promises.max_latency_ns
        yield (
            Outcome.BELOW_FLOOR,
            _expectation("max_latency", required=required, found=show_ns(median_ns), held=held),
        )
    yield from _roofline(measurement, promises)


def _memory(measurement: Measurement, promises: Promises) -> Iterable[tuple[Outcome, Expectation]]:
    if promises.max_memory_bytes != float("inf"):
        peak = measurement.evidence.peak_rss_bytes
        known = not isinstance(peak, Unknown)
        yield (
            Outcome.BELOW_FLOOR if known else Outcome.INCONCLUSIVE,
            _expectation(
                "max_memory",
                required=f"at most {show_bytes(promises.max_memory_bytes)}",
                found=peak.reason if isinstance(peak, Unknown) else show_bytes(peak),
                held=not isinstance(peak, Unknown) and peak <= promises.max_memory_bytes,
            ),
        )


def _roofline(measurement: Measurement, promises: Promises) -> Iterable[tuple[Outcome, Expectation]]:
    roofline = measurement.roofline
    if isinstance(roofline, Unknown):
        if promises.min_roofline:
            check = _expectation(
                "min_roofline", required=show_share(promises.min_roofline), found=roofline.reason, held=False
            )
            yield Outcome.INCONCLUSIVE, check
        return
    found = f"{show_share(roofline.fraction)} of the {roofline.bound} limit"
    if roofline.fraction > TOO_FAST_FRACTION:
        required = f"at most {show_share(TOO_FAST_FRACTION)} of the measured limit"
        yield Outcome.TOO_FAST, _expectation("believable", required=required, found=found, held=False)
    if promises.min_roofline:
        held = roofline.fraction >= promises.min_roofline
        check = _expectation("min_roofline", required=show_share(promises.min_roofline), found=found, held=held)
        yield Outcome.BELOW_FLOOR, check


def _expectation(name: str, *, required: str, found: str, held: bool) -> Expectation:
    return Expectation(name=name, required=required, found=found, held=held, isa=Isa.GENERIC.value)
