"""What Dynamo did while something ran: graphs, graph breaks, recompiles."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """Counts since the process started; the difference of two is what happened in between.

    Attributes:
        first_break: Reason of the first graph break, empty if there was none.
    """

    graphs: int
    graph_breaks: int
    first_break: str

    def since(self, earlier: Compilation) -> Compilation:
        """What happened after `earlier`."""
        breaks = self.graph_breaks - earlier.graph_breaks
        return Compilation(
            graphs=self.graphs - earlier.graphs, graph_breaks=breaks, first_break=self.first_break if breaks else ""
        )


def compilation_so_far() -> Compilation:
    """Dynamo's counters now. Cheap: reads three dictionaries."""
    from torch._dynamo.utils import counters

    breaks = counters["graph_break"]
    reasons = [reason.strip().splitlines()[0] for reason in breaks]
    return Compilation(
        graphs=counters["stats"]["unique_graphs"],
        graph_breaks=sum(breaks.values()),
        first_break=reasons[-1] if reasons else "",
    )


@contextmanager
def room_to_compile() -> Iterator[None]:
    """Let several variants of one model be compiled side by side, and forget them all afterwards.

    Dynamo gives up on a function after eight compilations and silently runs it eagerly from then on. A ladder compiles
    the same ``forward`` once for each variant, so the limit is raised, and reaching it is an error instead.
    """
    import torch
    from torch._dynamo import config

    torch.compiler.reset()
    patched = config.patch(recompile_limit=64, accumulated_recompile_limit=512, fail_on_recompile_limit_hit=True)
    with patched, _without_traces():
        try:
            yield
        finally:
            torch.compiler.reset()


@contextmanager
def _without_traces() -> Iterator[None]:
    """Keep torch's structured traces, thousands of empty records, out of the logs that pytest captures."""
    logger = logging.getLogger("torch.__trace")
    before, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = before
