"""Peak memory of variants, each weighed once in a fresh process: ladders over several baselines share the figure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.host.cpu import read_cpu
from pytest_xeonperf.host.system import read_system
from pytest_xeonperf.measure.plan import at_once
from pytest_xeonperf.records import Measurement
from pytest_xeonperf.shell.protocol import WantsWeights, Weigh
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_xeonperf.measure.failure import Failure
    from pytest_xeonperf.records import Unknown
    from pytest_xeonperf.shell.listener import Listener
    from pytest_xeonperf.shell.rungs import LadderKey, Rung
    from pytest_xeonperf.workloads.protocol import Phase


@dataclass(slots=True)
class Peaks:
    """What was weighed so far.

    Attributes:
        listener: Has variants weighed.
        threads: Of the measurement: while a process that weighs builds or compiles, it keeps about one of them busy.
        bytes_of: Peak RSS by model and variant.
    """

    listener: Listener
    threads: int
    bytes_of: dict[object, dict[str, int | Unknown]] = field(default_factory=dict)

    def added(
        self, phase: Phase, rungs: Sequence[Rung], found: Mapping[LadderKey, Mapping[str, Measurement | Failure]]
    ) -> dict[LadderKey, Mapping[str, Measurement | Failure]]:
        """Ladders of one model with the peaks of what was measured; of smoke shapes, where it says little, if promised.

        Args:
            phase: Of the model.
            rungs: Of these ladders.
            found: By ladder and variant.
        """
        key = next(iter(found))
        light = key.preset is Preset.SMOKE
        known = self.bytes_of.setdefault((key.source, key.phase, key.preset), {})
        heavy = {
            rung.variant: rung.node_id
            for rung in reversed(rungs)
            if isinstance(found[rung.ladder][rung.variant.name], Measurement)
            and rung.variant.name not in known
            and not (light and rung.promises.max_memory_bytes == float("inf"))
        }
        if heavy:
            slowest_first = sorted(heavy, key=lambda variant: (not variant.freeze, not variant.compile))
            wanted = tuple(Weigh(node_id=heavy[variant], variant=variant.name) for variant in slowest_first)
            many = at_once(phase.footprint, tuple(heavy), available_bytes(), self.threads)
            known |= self.listener.weigh(WantsWeights(wanted=wanted, at_once=many))
        return {key: _with_peaks(came_to, known) for key, came_to in found.items()}


def _with_peaks(
    found: Mapping[str, Measurement | Failure], known: Mapping[str, int | Unknown]
) -> Mapping[str, Measurement | Failure]:
    return {
        name: replace(each, evidence=replace(each.evidence, peak_rss_bytes=known[name]))
        if isinstance(each, Measurement) and name in known
        else each
        for name, each in found.items()
    }


def available_bytes() -> int:
    """What this process could allocate now without swapping."""
    return read_system(read_cpu().flags).available_bytes
