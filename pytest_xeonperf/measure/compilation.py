"""What Dynamo did while something ran: graphs, graph breaks, recompiles."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import ModuleType


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """Counts since the process started; the difference of two is what happened in between.

    Attributes:
        graphs: Graphs compiled.
        breaks: Reasons of graph breaks with how often each occurred, in the order in which they first came up.
    """

    graphs: int
    breaks: tuple[tuple[str, int], ...]

    @property
    def graph_breaks(self) -> int:
        """How many graph breaks there were."""
        return sum(count for _, count in self.breaks)

    @property
    def first_break(self) -> str:
        """First line of the first reason; empty if there was none."""
        return self.breaks[0][0].strip().splitlines()[0] if self.breaks else ""

    def since(self, earlier: Compilation) -> Compilation:
        """What happened after `earlier`."""
        before = dict(earlier.breaks)
        grown = ((reason, count - before.get(reason, 0)) for reason, count in self.breaks)
        return Compilation(
            graphs=self.graphs - earlier.graphs, breaks=tuple((reason, count) for reason, count in grown if count > 0)
        )


def compilation_so_far() -> Compilation:
    """Dynamo's counters now. Cheap: reads two dictionaries."""
    from torch._dynamo.utils import counters

    return Compilation(graphs=counters["stats"]["unique_graphs"], breaks=tuple(counters["graph_break"].items()))


@contextmanager
def room_to_compile() -> Iterator[None]:
    """Let several variants of one model be compiled side by side, and forget them all afterwards.

    Dynamo gives up on a function after eight compilations and silently runs it eagerly from then on. A ladder compiles
    the same ``forward`` once for each variant, so the limit is raised, and reaching it is an error instead.
    """
    import torch
    from torch._dynamo import config

    torch.compiler.reset()
    loaded = _loaded()
    patched = config.patch(recompile_limit=64, accumulated_recompile_limit=512, fail_on_recompile_limit_hit=True)
    with patched, _without_traces():
        try:
            yield
        finally:
            torch.compiler.reset()
            _forget(set(_loaded()).difference(loaded))


def _loaded() -> tuple[ModuleType, ...]:
    """The modules of compiled code in this process, none if Inductor was never asked for one."""
    codecache = sys.modules.get("torch._inductor.codecache")
    return tuple(codecache.PyCodeCache.modules) if codecache else ()


def _forget(modules: Collection[ModuleType]) -> None:
    """Let go of compiled code: Inductor keeps every module for good, and with it the weights that freezing packed.

    For `torch==2.13.*`, whose internals it reaches into: `cache_clear` leaves what stands in `sys.modules`.
    """
    for module in modules:
        cache = sys.modules["torch._inductor.codecache"].PyCodeCache
        cache.modules.remove(module)
        cache.modules_no_attr = {path: kept for path, kept in cache.modules_no_attr.items() if kept is not module}
        if sys.modules.get(module.__name__) is module:
            del sys.modules[module.__name__]


@contextmanager
def _without_traces() -> Iterator[None]:
    """Keep torch's structured traces, thousands of empty records, out of the logs that pytest captures.

    pytest's handlers stand on loggers that do not propagate, too, and torch makes no record for a logger without any:
    its own one goes by itself, but for a user who asked for traces (``TORCH_TRACE``).
    """
    logger = logging.getLogger("torch.__trace")
    before = logger.handlers
    logger.handlers = [handler for handler in logger.handlers if type(handler).__module__.startswith("torch.")]
    try:
        yield
    finally:
        logger.handlers = before
