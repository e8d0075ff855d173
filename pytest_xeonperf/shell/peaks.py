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
        threads: Of the measurement: a process that weighs keeps about two of them busy.
        bytes_of: Peak RSS by model and variant.
    """

    listener: Listener
    threads: int
    bytes_of: dict[object, dict[str, int | Unknown]] = field(default_factory=dict)

    def added(
        self, key: LadderKey, phase: Phase, rungs: Sequence[Rung], found: Mapping[str, Measurement | Failure]
    ) -> Mapping[str, Measurement | Failure]:
        """Measurements of a ladder with their peaks; of smoke shapes, where it says little, only if it was promised."""
        light = key.preset is Preset.SMOKE
        known = self.bytes_of.setdefault((key.source, key.phase, key.preset), {})
        heavy = {
            rung.variant: rung.node_id
            for rung in reversed(rungs)
            if isinstance(found[rung.variant.name], Measurement)
            and rung.variant.name not in known
            and not (light and rung.promises.max_memory_bytes == float("inf"))
        }
        if heavy:
            wanted = tuple(Weigh(node_id=node_id, variant=variant.name) for variant, node_id in reversed(heavy.items()))
            many = at_once(phase.footprint, tuple(heavy), available_bytes(), self.threads // 2)
            known |= self.listener.weigh(WantsWeights(wanted=wanted, at_once=many))
        return {
            name: replace(each, evidence=replace(each.evidence, peak_rss_bytes=known[name]))
            if isinstance(each, Measurement) and name in known
            else each
            for name, each in found.items()
        }


def available_bytes() -> int:
    """What this process could allocate now without swapping."""
    return read_system(read_cpu().flags).available_bytes
