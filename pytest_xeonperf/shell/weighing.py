"""Peak memory of one variant, from a process that holds nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from pytest_xeonperf.host.memory import give_back
from pytest_xeonperf.measure.ladder import Ladder, build_step
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.variants.named import lookup

if TYPE_CHECKING:
    from pytest_xeonperf.records import Result
    from pytest_xeonperf.shell.rungs import Rung
    from pytest_xeonperf.workloads.protocol import Workload


@dataclass(slots=True)
class Scale:
    """Takes the engine's place in a process that weighs: runs one variant, remembers its peak, reaches no verdict.

    Attributes:
        variant: Name of the variant to weigh; checks of others are passed over.
        peak_rss_bytes: What was found.
    """

    variant: str
    peak_rss_bytes: int | Unknown = Unknown(reason="the test did not get as far as its check")

    def result(self, rung: Rung, workload: Workload) -> Result:
        """Build the variant, forget the peak of building it, run it, note the peak; then leave the test."""
        if rung.variant.name == self.variant:
            self.peak_rss_bytes = _peak(rung, workload)
        pytest.skip("weighed")

    def compare(self, *_anything: object) -> Result:
        """Callables are not weighed: leave the test."""
        pytest.skip("weighed")


def _peak(rung: Rung, workload: Workload) -> int | Unknown:
    import torch

    phase = rung.ladder.phase_of(workload)
    ladder = Ladder(
        workload=workload, phase=phase, preset=rung.ladder.preset.value, baseline=lookup(rung.ladder.over), rungs=()
    )
    with torch.no_grad():
        step, _built = build_step(ladder, rung.variant)
        give_back()  # what building has left over is not the variant's
        _forget_peak()
        step()
    return _high_water_bytes()


def _forget_peak() -> None:
    """Start a new high-water mark (see ``man 5 proc``, clear_refs): building maps FP32 weights that are gone by now."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return  # a container without the right to it: the peak then includes building, which is the careful side


def _high_water_bytes() -> int | Unknown:
    status = Path("/proc/self/status")
    if not status.exists():
        return int(psutil.Process().memory_info().rss)
    lines = [line.split() for line in status.read_text(encoding="ascii", errors="replace").splitlines()]
    return next((int(line[1]) * 1024 for line in lines if line[0] == "VmHWM:"), Unknown(reason="no VmHWM in /proc"))
