"""A fixed piece of work that tells whether the machine was disturbed, without asking the models."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from pytest_xeonperf.measure.clock import time_call_ns

if TYPE_CHECKING:
    from collections.abc import Callable

DISTURBED_RATIO = 1.3
"""A canary this much slower than its own median says that somebody else was using the machine."""

_CALIBRATION_SONGS = 5
_TRIES = 3
"""The best of so many counts: a blip of milliseconds says nothing about a round of seconds, a busy neighbour stays."""


@dataclass(slots=True)
class Canary:
    """Sings between rounds; a round between two healthy songs counts.

    Attributes:
        sing: The fixed work.
        history_ns: Every song so far, each the best of its tries.
    """

    sing: Callable[[], object]
    history_ns: list[int] = field(default_factory=list)

    def healthy(self) -> bool:
        """Run the work a few times; false if even the best of them took much longer than it usually does."""
        while len(self.history_ns) < _CALIBRATION_SONGS:
            self.history_ns.append(self._song_ns())
        usual_ns = median(self.history_ns)
        duration_ns = self._song_ns()
        self.history_ns.append(duration_ns)
        return duration_ns <= DISTURBED_RATIO * usual_ns

    def _song_ns(self) -> int:
        return min(time_call_ns(self.sing)[0] for _ in range(_TRIES))


def torch_canary() -> Canary:
    """A GEMM and a copy of some ten milliseconds together, on all threads of torch."""
    import torch

    left = torch.ones(768, 768)  # [768, 768] fp32
    source = torch.ones(8 * 1024 * 1024)  # 32 MiB fp32
    target = torch.empty_like(source)

    def sing() -> None:
        torch.mm(left, left)
        target.copy_(source)

    return Canary(sing=sing)
