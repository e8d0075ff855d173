"""Makes results of what the engine found, and of tests that did not live to be measured."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from pytest_xeonperf.judge.expectations import threshold_here
from pytest_xeonperf.measure.failure import FailureKind
from pytest_xeonperf.records import Case, Metric, Outcome, Result, Unknown, Verdict

if TYPE_CHECKING:
    from pytest_xeonperf.judge.expectations import Promises
    from pytest_xeonperf.measure.failure import Failure
    from pytest_xeonperf.records import Isa, Measurement
    from pytest_xeonperf.shell.protocol import Named
    from pytest_xeonperf.shell.rungs import Rung

_OUTCOMES = {  # every other failure is the variant's own
    FailureKind.NO_BASELINE: Outcome.NO_BASELINE,
    FailureKind.NEEDS_MORE: Outcome.OTHER_MACHINE,
}


class Tested(Protocol):
    """What a result is about: a rung, or a test that compares two callables."""

    @property
    def node_id(self) -> str:
        """The name pytest gives the test."""

    @property
    def location(self) -> str:
        """``path:line``."""

    @property
    def promises(self) -> Promises:
        """What its markers say."""


def case_of(rung: Rung, *, workload: str, phase: str) -> Case:
    """Identity of a rung in the history."""
    return Case(
        workload=workload,
        phase=phase,
        preset=rung.ladder.preset.value,
        variant=rung.variant.name,
        metric=Metric.LATENCY,
        over=rung.ladder.over,
    )


def result_of(test: Tested, case: Case, measurement: Measurement | Unknown, verdict: Verdict) -> Result:
    """The result of a test, dated now."""
    return Result(
        node_id=test.node_id,
        location=test.location,
        case=case,
        measured_at=datetime.now(UTC).isoformat(timespec="microseconds"),
        measurement=measurement,
        verdict=verdict,
    )


def failed_result(rung: Rung, case: Case, failure: Failure, isa: Isa) -> Result:
    """The result of a rung that could not be measured."""
    outcome = _OUTCOMES.get(failure.kind, Outcome.CRASHED)
    verdict = _without_measurement(rung, outcome, failure.reason, isa)
    return result_of(rung, case, Unknown(reason=failure.reason), verdict)


def dead_result(rung: Rung, reason: str, named: Named | None, isa: Isa) -> Result:
    """The result of a rung whose process is gone, under the name its ladder has, or would have if it never said so."""
    workload, phase = rung.ladder.source.name, rung.ladder.phase or "forward"
    if named:
        workload, phase = named.workload, named.phase
    case = case_of(rung, workload=workload, phase=phase)
    return result_of(rung, case, Unknown(reason=reason), _without_measurement(rung, Outcome.CRASHED, reason, isa))


def _without_measurement(test: Tested, outcome: Outcome, reason: str, isa: Isa) -> Verdict:
    floor = threshold_here(test.promises.floors, isa)
    return Verdict(
        outcome=outcome,
        reason=reason,
        floor_ratio=floor if isinstance(floor, Unknown) else floor.ratio,
        expectations=(),
    )
