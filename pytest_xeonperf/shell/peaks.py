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
    from pytest_xeonperf.variants.spec import Variant
    from pytest_xeonperf.workloads.protocol import Phase


@dataclass(slots=True)
class Peaks:
    """What was weighed so far.

    Attributes:
        listener: Has variants weighed.
        threads: Of the measurement. While a process that weighs builds or compiles it keeps one or two of them busy.
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
        heavy: dict[Variant, Weigh] = {}  # where two tests have one variant, by the first of them
        for rung in sorted(rungs, key=lambda rung: _swiftness(rung.variant)):
            matters = not light or rung.promises.max_memory_bytes < float("inf")
            measured = isinstance(found[rung.ladder][rung.variant.name], Measurement)
            if matters and measured and rung.variant.name not in known:
                heavy.setdefault(rung.variant, Weigh(node_id=rung.node_id, variant=rung.variant.name))
        if heavy:
            most = min(self.threads, max(2, self.threads // 2))
            many = at_once(phase.footprint, tuple(heavy), available_bytes(), most)
            known |= self.listener.weigh(WantsWeights(wanted=tuple(heavy.values()), at_once=many))
        return {ladder: _with_peaks(came_to, known) for ladder, came_to in found.items()}


def _swiftness(variant: Variant) -> tuple[bool, bool]:
    """The slowest to build comes first: frozen, then compiled or converted, then eager."""
    return not variant.freeze, not variant.makes_code


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
