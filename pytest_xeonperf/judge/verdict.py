"""From a measurement and the promises of its test to one word with its reasons."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from math import inf
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.betting import Decision, log_ratios, pairs_to_decide, wealth
from pytest_xeonperf.judge.expectations import LOWER_IS_BETTER, threshold_here
from pytest_xeonperf.judge.latency import decide_ceiling
from pytest_xeonperf.judge.outlook import least_ratio_of, median_round_ns, would_do
from pytest_xeonperf.judge.processes import decide, logs_by_process
from pytest_xeonperf.records import Expectation, Isa, Outcome, Unknown, Verdict
from pytest_xeonperf.units import show_bytes, show_estimate, show_ns, show_ratio, show_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_xeonperf.judge.expectations import Promises, Threshold
    from pytest_xeonperf.records import Measurement, Sample

TOO_FAST_FRACTION = 1.25
"""Above this share of the measured limit a result is not believed. The limit is itself measured, within some 10 %."""

_ASTRAY = 2
"""Pairs that a disturbance may put on the wrong side."""


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
        checks += _limits(measurement, promises, rates)
        checks += [] if isinstance(floor, Unknown) else [_ratio(measurement, _FLOOR, floor, rates)]
        checks += [] if isinstance(ceiling, Unknown) else [_ratio(measurement, _CEILING, ceiling, rates)]
    failed = [(outcome, check) for outcome, check in checks if not check.held]
    expectations = tuple(check for _, check in checks)
    floor_ratio = floor if isinstance(floor, Unknown) else floor.ratio
    if failed:
        red = [pair for pair in failed if pair[0].red]
        outcome = (red or failed)[0][0]
        reason = "; ".join(told(check) for _, check in (red or failed))
    elif speed is Speed.JUDGED and promises.floors and isinstance(floor, Unknown):
        outcome, reason = Outcome.OTHER_MACHINE, floor.reason
    elif speed is Speed.JUDGED and promises.ceilings and isinstance(ceiling, Unknown):
        outcome, reason = Outcome.OTHER_MACHINE, ceiling.reason
    else:
        outcome = Outcome.PASS
        reason = "" if speed is Speed.JUDGED else "speed is not judged at this preset"
    return Verdict(outcome=outcome, reason=reason, floor_ratio=floor_ratio, expectations=expectations)


def told(check: Expectation) -> str:
    """A promise that was not held, for people; the reason of a red verdict has these of the red ones alone."""
    return f"{check.name}: {check.found}, required {check.required}"


def settled(samples: Sequence[Sample], promises: Promises, isa: Isa, rates: Levels, *, items_per_call: int) -> bool:
    """Whether more pairs could no longer change what floor and ceilings say: the stopping rule of a case.

    What `min_roofline` allows is known after the rounds: with it, a case has as many pairs as decide it though two of
    them lie on the other side.

    Args:
        samples: Of one process, in the order of measurement.
        promises: What they are held to.
        isa: The most capable usable one.
        rates: Chances of error.
        items_per_call: Units of work in a call, for one of which `max_latency` is promised.
    """
    sides = ((_FLOOR, promises.floors), (_CEILING, promises.ceilings))
    here = [(side, threshold_here(given, isa)) for side, given in sides]
    logs = log_ratios(samples)
    limit_ns = promises.max_latency_ns * items_per_call
    return all(
        isinstance(threshold, Unknown) or side.decide((logs,), threshold.ratio, rates) is not Decision.OPEN
        for side, threshold in here
    ) and (
        (limit_ns == inf or decide_ceiling(samples, limit_ns, rates) is not Decision.OPEN)
        and (not promises.min_roofline or _decides(len(samples), rates))
    )


def _decides(pairs: int, rates: Levels) -> bool:
    """Whether so many pairs decide either way, two of them being on the other side."""
    wins = pairs - _ASTRAY
    return wins > 0 and wealth(wins, _ASTRAY) >= 1 / min(rates.pass_alpha, rates.red_alpha)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """On which side of a threshold a speed-up has to be.

    Attributes:
        sign: Of the log-ratios, so that above is always good.
        red: The outcome where it is on the other side.
    """

    marker: str
    sign: int
    words: str
    red: Outcome

    def decide(self, groups: Sequence[Sequence[float]], ratio: float, rates: Levels) -> Decision:
        """Where the pairs of one or several processes are."""
        turned = [self._turned(logs) for logs in groups]
        return decide(turned, ratio**self.sign, pass_alpha=rates.pass_alpha, red_alpha=rates.red_alpha)

    def needed(
        self, groups: Sequence[Sequence[float]], ratio: float, rates: Levels, of_round_ns: float | Unknown
    ) -> str:
        """What would probably decide what is open."""
        if len(groups) > 1:
            return f"in {len(groups)} processes; more of them would narrow it"
        pairs = pairs_to_decide(
            self._turned(groups[0]), ratio**self.sign, pass_alpha=rates.pass_alpha, red_alpha=rates.red_alpha
        )
        return would_do(pairs, of_round_ns)

    def _turned(self, logs: Sequence[float]) -> tuple[float, ...]:
        return tuple(self.sign * value for value in logs)


_FLOOR = _Side(marker="min_speedup", sign=1, words="", red=Outcome.BELOW_FLOOR)
_CEILING = _Side(marker="max_speedup", sign=-1, words="at most ", red=Outcome.TOO_FAST)
"""More than was ever possible says that the baseline has become slower."""


def _ratio(measurement: Measurement, side: _Side, threshold: Threshold, rates: Levels) -> tuple[Outcome, Expectation]:
    groups, over = logs_by_process(measurement.samples), measurement.case.over
    decision = side.decide(groups, threshold.ratio, rates)
    found = show_estimate(measurement.speedup)
    if decision is Decision.OPEN:
        pairs = sum(map(len, groups))
        needed = side.needed(groups, threshold.ratio, rates, median_round_ns(measurement))
        found += f" after {pairs} pairs, undecided ({needed})"
        least = least_ratio_of(groups, alpha=rates.pass_alpha)
        if side is _FLOOR and least > 0:
            found += f"; a ratio below {show_ratio(least)} would have been seen"
    if decision is Decision.BELOW and side is _CEILING:
        found += f", {over} at {show_ns(measurement.baseline_median_ns)}"
    return side.red if decision is Decision.BELOW else Outcome.INCONCLUSIVE, Expectation(
        name=side.marker,
        required=f"{side.words}{show_ratio(threshold.ratio)} over {over}",
        found=found,
        held=decision is Decision.ABOVE,
        isa=threshold.isa.value,
    )


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
        if bound != inf:
            found_text = f"{count} ({detail})" if detail else f"{count}"
            yield (
                Outcome.WRONG_KERNEL,
                _expectation(name, required=f"at most {bound:g}", found=found_text, held=count <= bound),
            )


def _limits(measurement: Measurement, promises: Promises, rates: Levels) -> Iterable[tuple[Outcome, Expectation]]:
    if promises.max_latency_ns != inf:
        limit_ns = promises.max_latency_ns * measurement.items_per_call
        required = f"at most {show_ns(promises.max_latency_ns)}"
        found = show_ns(measurement.candidate_median_ns)
        yield _timed(measurement, "max_latency", limit_ns, rates, required=required, found=found)
    yield from _roofline(measurement, promises, rates)


def _timed(
    measurement: Measurement, marker: str, limit_ns: float, rates: Levels, *, required: str, found: str
) -> tuple[Outcome, Expectation]:
    """What the calls say of a limit for one of them."""
    decision = decide_ceiling(measurement.samples, limit_ns, rates)
    if decision is Decision.OPEN:
        found += f" after {len(measurement.samples)} calls, undecided"
    outcome = Outcome.BELOW_FLOOR if decision is Decision.BELOW else Outcome.INCONCLUSIVE
    return outcome, _expectation(marker, required=required, found=found, held=decision is Decision.ABOVE)


def _memory(measurement: Measurement, promises: Promises) -> Iterable[tuple[Outcome, Expectation]]:
    if promises.max_memory_bytes != inf:
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


def _roofline(measurement: Measurement, promises: Promises, rates: Levels) -> Iterable[tuple[Outcome, Expectation]]:
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
        call_ns = measurement.candidate_median_ns * measurement.items_per_call
        limit_ns = call_ns * roofline.fraction / promises.min_roofline
        required = show_share(promises.min_roofline)
        yield _timed(measurement, "min_roofline", limit_ns, rates, required=required, found=found)


def _expectation(name: str, *, required: str, found: str, held: bool) -> Expectation:
    return Expectation(name=name, required=required, found=found, held=held, isa=Isa.GENERIC.value)
