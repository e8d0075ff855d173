"""Pages by several processes: a copy of this one takes its share of them."""

from __future__ import annotations

from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

Job = TypeVar("Job")
Done = TypeVar("Done")

_FEWEST = 8
"""Jobs for which another process is worth it."""


def shared(
    work: Callable[[Job], Done], jobs: Sequence[Job], *, processes: int, in_child: Callable[[], None]
) -> Iterator[Done]:
    """What becomes of the jobs, in any order, done by so many processes.

    Args:
        work: Of one job; what it gives must be picklable.
        jobs: Whatever they are.
        processes: This one included. They are forked: it must have no threads that matter.
        in_child: Called first in each of the others.
    """
    many = max(1, min(processes, len(jobs) // _FEWEST))
    shares = [jobs[number::many] for number in range(many)]
    context = get_context("fork")
    started = []
    for share in shares[1:]:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(work, share, in_child, theirs), daemon=True)
        process.start()
        theirs.close()
        started.append((process, ours, share))
    yield from map(work, shares[0])
    for process, ours, share in started:
        try:
            done = ours.recv()
        except EOFError:  # it died; what it stumbled over is met again here, where somebody hears of it
            done = list(map(work, share))
        process.join()
        yield from done


def _child(work: Callable[[Job], Done], share: Sequence[Job], in_child: Callable[[], None], to: Connection) -> None:
    in_child()
    to.send([work(job) for job in share])
    to.close()
