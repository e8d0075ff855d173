"""When a variant may leave the rounds: once no more pairs with it could change what any test is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_xeonperf.judge.verdict import Levels, settled
from pytest_xeonperf.measure.rebase import paired

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytest_xeonperf.judge.expectations import Promises
    from pytest_xeonperf.records import Isa, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """The stopping rule of the rounds that one or several ladders share.

    Attributes:
        baseline: Name of who is in every pair that the rounds give.
        promises: What tests promise, by candidate and by who it is held against: that baseline, or another variant of
            the same rounds, which then stays as long as it is needed.
        items_per_call: Units of work in a call.
    """

    baseline: str
    promises: Mapping[tuple[str, str], Sequence[Promises]]
    isa: Isa
    rates: Levels
    items_per_call: int = 1

    def __call__(self, name: str, samples: Mapping[str, Sequence[Sample]]) -> bool:
        """Whether a variant is no longer needed, by the pairs of all of them so far."""
        return all(self._settled(*pair, samples) for pair in self.promises if name in pair)

    def _settled(self, candidate: str, over: str, samples: Mapping[str, Sequence[Sample]]) -> bool:
        own = samples.get(candidate, ())
        if over != self.baseline:
            own = paired(own, samples.get(over, ()))
        if not own:  # one of the two was never built, or has raised: there is nothing to wait for
            return True
        return all(
            settled(own, promised, self.isa, self.rates, items_per_call=self.items_per_call)
            for promised in self.promises[candidate, over]
        )
