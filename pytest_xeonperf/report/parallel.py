"""Pages by several processes: copies of this one, each of which takes the next job as soon as it has time."""

from __future__ import annotations

import os
from contextlib import suppress
from multiprocessing import get_context
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

Done = TypeVar("Done")

_FEWEST = 8
"""Jobs for which another process is worth it."""

_MOST_TURNS = 4096
"""Times that jobs are handed out at most: their numbers shall not fill a pipe."""

_NUMBER_BYTES = 4


def shared(jobs: Sequence[Callable[[], Done]], *, processes: int, in_child: Callable[[], None]) -> Iterator[Done]:
    """What becomes of the jobs, in their order, done by so many processes.

    Args:
        jobs: What takes longest first; what they give must be picklable.
        processes: This one included. They are forked: it must have no threads that matter.
        in_child: Called first in each of the others.
    """
    context = get_context("fork")
    at_once = 1 + len(jobs) // _MOST_TURNS
    turns = _turns(range(0, len(jobs), at_once))
    started = []
    for _ in range(min(processes, len(jobs) // _FEWEST) - 1):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(jobs, turns, at_once, in_child, theirs), daemon=True)
        process.start()
        theirs.close()
        started.append((process, ours))
    try:
        done = _done(jobs, turns, at_once)
        for _process, ours in started:
            # it died, perhaps in mid-answer; what it stumbled over is met again here, where somebody hears of it
            with suppress(EOFError, OSError):
                done |= ours.recv()
    finally:
        while os.read(turns, _NUMBER_BYTES):  # nobody begins another
            pass
        os.close(turns)
        for process, ours in started:
            ours.close()
            process.join()
    for number, job in enumerate(jobs):
        yield done[number] if number in done else job()


def _turns(numbers: Sequence[int]) -> int:
    """A pipe that holds these numbers, each for whoever reads first: a process that dies leaves nothing locked."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as turns:
        turns.write(b"".join(number.to_bytes(_NUMBER_BYTES, "little") for number in numbers))
    return reading


def _done(jobs: Sequence[Callable[[], Done]], turns: int, at_once: int) -> dict[int, Done]:
    """By number, what became of the jobs whose turns came to this process."""
    done: dict[int, Done] = {}
    while turn := os.read(turns, _NUMBER_BYTES):
        first = int.from_bytes(turn, "little")
        done |= {number: jobs[number]() for number in range(first, min(first + at_once, len(jobs)))}
    return done


def _child(
    jobs: Sequence[Callable[[], Done]], turns: int, at_once: int, in_child: Callable[[], None], to: Connection
) -> None:
    in_child()
    to.send(_done(jobs, turns, at_once))
    to.close()
