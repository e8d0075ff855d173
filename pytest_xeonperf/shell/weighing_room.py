"""Weighs variants, each in a process of its own; nothing is timed there, so several may run at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock, Semaphore
from typing import TYPE_CHECKING

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child, ChildDiedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def weigh(wanted: protocol.WantsWeights, start: protocol.Start, folder: Path) -> Mapping[str, int | Unknown]:
    """Peak RSS in bytes by variant, or why it is not known.

    Args:
        wanted: The variants, and how many processes there is room for.
        start: What the session tells its measuring child.
        folder: Takes what the processes print: ``weighing-0.log`` and so on, so that nobody's last words are mixed.
    """
    room = _Room(start=replace(start, purpose=protocol.Purpose.WEIGH), folder=folder, scales=Semaphore(wanted.at_once))
    with ThreadPoolExecutor(wanted.at_once + 1) as pool:  # one more gets ready meanwhile, and holds no model yet
        try:
            peaks = list(pool.map(room.weigh_one, wanted.wanted, range(len(wanted.wanted))))
        except BaseException:  # Ctrl-C: nobody else knows of these children
            pool.shutdown(wait=False, cancel_futures=True)
            room.close()
            raise
    return {each.variant: peak for each, peak in zip(wanted.wanted, peaks, strict=True)}


@dataclass(slots=True)
class _Room:
    """The processes of one weighing.

    Attributes:
        scales: Taken by whoever holds a model.
        closed: Whoever starts a child from now on ends it at once.
    """

    start: protocol.Start
    folder: Path
    scales: Semaphore
    children: list[Child] = field(default_factory=list)
    closed: bool = False
    lock: Lock = field(default_factory=Lock)

    def weigh_one(self, wanted: protocol.Weigh, number: int) -> int | Unknown:
        """Start a child for one variant and hear what it took."""
        try:
            with self.lock:
                if self.closed:
                    return Unknown(reason="interrupted")
                child = Child.start(self.start, self.folder / f"weighing-{number}.log")
                self.children.append(child)
            child.hear_ready()
            with self.scales:
                child.tell(wanted)
                while not isinstance(message := child.hear(), protocol.Weight):
                    pass
                child.end()
        except ChildDiedError as error:
            return Unknown(reason=f"the weighing process {error.death.how}")
        except OSError as error:  # no memory, or too many processes
            return Unknown(reason=f"no process to weigh it in: {error}")
        return message.peak_rss_bytes

    def close(self) -> None:
        """End every child, and let no other begin."""
        with self.lock:
            self.closed = True
            for child in self.children:
                child.kill()
