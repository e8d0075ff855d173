"""What an engine has other processes say: all pairs of several, or one more look where one process saw red."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.confirmation import confirmed, incomplete, needs_confirmation
from pytest_xeonperf.measure.replicates import combined
from pytest_xeonperf.records import Measurement, Result, Unknown
from pytest_xeonperf.shell.protocol import WantsFreshLook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pytest_xeonperf.records import Case, Estimate, Sample, Verdict
    from pytest_xeonperf.shell.listener import Listener
    from pytest_xeonperf.shell.protocol import FreshLook


@dataclass(slots=True)
class Replicates:
    """The other processes of an engine.

    Attributes:
        listener: Starts them.
        processes: For each case, this one included.
        asks: False for a process that is itself asked by another: it asks no third.
        lost: Why a process is missing, by case.
        wrong: What another process is red for beside its times, by case.
    """

    listener: Listener
    processes: int
    asks: bool
    lost: dict[Case, str] = field(default_factory=dict)
    wrong: dict[Case, Verdict] = field(default_factory=dict)

    def joined(
        self,
        found: Mapping[Case, Measurement],
        node_ids: tuple[str, ...],
        summarise: Callable[[Sequence[Sample]], Estimate],
    ) -> Mapping[Case, Measurement]:
        """Measurements of this process with those of as many others as there shall be.

        Args:
            found: Of this process.
            node_ids: The tests that measure these cases.
            summarise: From pairs of all processes to a ratio with its interval.
        """
        if not self.asks or self.processes == 1 or not found:
            return found
        by_case = {case: [measurement] for case, measurement in found.items()}
        for number in range(2, self.processes + 1):
            name = f"process {number} of {self.processes}"
            look = self.listener.look_afresh(WantsFreshLook(node_ids=node_ids, why=name))
            for case, measurements in by_case.items():
                again = _on(case, look)
                if isinstance(again, Unknown):
                    self.lost[case] = f"{name} has no pairs: {again.reason}"
                elif isinstance(again.measurement, Measurement):
                    measurements.append(again.measurement)
                else:
                    self.lost[case] = f"{name} has no pairs: {again.verdict.reason}"
                if isinstance(again, Result) and again.verdict.outcome.red and not needs_confirmation(again.verdict):
                    self.wrong[case] = replace(again.verdict, reason=f"{name}: {again.verdict.reason}")
        return {case: combined(measurements, summarise) for case, measurements in by_case.items()}

    def last_word(self, result: Result) -> Result:
        """A result as it is told: what is wrong in one process is, and what is missing from one leaves it undecided.

        If a single process saw red for its times, another is asked.
        """
        if result.case in self.wrong:
            return replace(result, verdict=self.wrong[result.case])
        if result.case in self.lost:
            return replace(result, verdict=incomplete(result.verdict, self.lost[result.case]))
        if not self.asks or self.processes > 1 or not needs_confirmation(result.verdict):
            return result
        wanted = WantsFreshLook(node_ids=(result.node_id,), why="red for its times")
        again = _on(result.case, self.listener.look_afresh(wanted))
        second = again if isinstance(again, Unknown) else again.verdict
        return replace(result, verdict=confirmed(result.verdict, second))


def _on(case: Case, look: FreshLook) -> Result | Unknown:
    """What a process says of a case."""
    found = (result for result in look.results if result.case == case)
    return next(found, Unknown(reason=look.problem or "the test did not get as far as its check"))
