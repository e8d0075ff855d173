"""Runs that wait on disk until a service is there again.

A run waits as a file of its own, named by its id, which is ordered by time; it goes when the service has said that it
has it. A delivery that was cut off is made again.

Runs go in order, but for one that does not get through on its line, or cannot be read: it stays the first of those that
wait, and smaller ones go before it. A service puts runs in the order of their times however they come.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from pytest_xeonperf.ci.delivery import PassedOverError, checked, deliver
from pytest_xeonperf.ci.sole_sender import sole_sender
from pytest_xeonperf.errors import DataError, InfrastructureError, XeonPerfError
from pytest_xeonperf.records import Unknown

OUTBOX = Path(".xeonperf", "outbox")
"""In the folder of suites, where runs wait."""

_PATIENCE_S = 60
"""With somebody else who sends what waits."""

_REFUSED = ".refused"
_NONE_WAITS = Unknown(reason="none waits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of the runs that waited.

    Attributes:
        sent: Runs that the service has now.
        waiting: Runs that are still to be sent.
        refused: Runs that the service does not take, which were put aside, with its words.
        error: Why runs wait.
    """

    sent: int
    waiting: int
    refused: tuple[str, ...] = ()
    error: XeonPerfError | Unknown = _NONE_WAITS

    @property
    def problem(self) -> str:
        """Why runs wait, in a line; empty where none does."""
        if isinstance(self.error, Unknown):
            return ""
        return f"{self.error.what} ({self.error.remedy})" if self.error.remedy else self.error.what


def outbox(folder: Path, url: str) -> Path:
    """Where the runs wait that are for this service, in the folder of suites: another address is another service."""
    return folder / OUTBOX / hashlib.sha256(checked(url).encode()).hexdigest()[:12]


def keep(box: Path, run_id: str, document: str) -> None:
    """Let a run wait on disk: all of it or, if this process dies, nothing."""
    box.mkdir(parents=True, exist_ok=True)
    (box / ".gitignore").write_text("*\n", encoding="ascii")
    draft = box / f".{run_id}.part"
    with draft.open("w", encoding="utf-8") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(box / f"{run_id}.json")


def deliver_kept(box: Path, url: str) -> Delivery:
    """Send what waits, the oldest first, up to the first that the service is not there for.

    A run that the service does not take is put aside, so that those behind it get through. One that does not get
    through stays, and those smaller than it are tried. Nobody else sends from the box meanwhile.
    """
    if not _waiting(box):
        return Delivery(sent=0, waiting=0)
    with ExitStack() as held:
        try:
            held.enter_context(sole_sender(box, patience_s=_PATIENCE_S))
        except OSError as error:
            busy = isinstance(error, BlockingIOError)
            what = "somebody else sends what waits" if busy else f"what waits cannot be sent: {error.strerror}"
            problem = InfrastructureError(what, where=str(box), remedy="try again later" if busy else "mend the folder")
            return Delivery(sent=0, waiting=len(_waiting(box)), error=problem)
        return _Delivering(url).all_of(_waiting(box))


def _waiting(box: Path) -> list[Path]:
    return sorted(box.glob("*.json")) if box.is_dir() else []


@dataclass(slots=True)
class _Delivering:
    """What became of some of the runs that wait.

    Attributes:
        sent, refused, error: As in `Delivery`.
        passed_over: Runs that stay, though others behind them were tried.
        too_long: As a document that did not get through, so that none of this length needs to be tried.
    """

    url: str
    sent: int = 0
    refused: list[str] = field(default_factory=list)
    passed_over: int = 0
    too_long: float = inf
    error: XeonPerfError | Unknown = _NONE_WAITS

    def all_of(self, waiting: list[Path]) -> Delivery:
        """Send the runs of these files, in their order."""
        stopped_at = len(waiting)
        for number, path in enumerate(waiting):
            try:
                self._one(path)
            except FileNotFoundError:  # somebody has taken it away
                continue
            except XeonPerfError as error:
                self.error, stopped_at = error, number
                break
        return Delivery(
            sent=self.sent,
            waiting=self.passed_over + len(waiting) - stopped_at,
            refused=tuple(self.refused),
            error=self.error,
        )

    def _one(self, path: Path) -> None:
        """Send a run, put it aside, or leave it where it is.

        Raises:
            FileNotFoundError: It is not there.
            UsageError: As `deliver`; so is InfrastructureError.
        """
        try:
            document = _read(path)
            if len(document) < self.too_long:
                self._send(path, document)
            else:
                self.passed_over += 1
        except PassedOverError as error:
            self.passed_over += 1
            self.error = error

    def _send(self, path: Path, document: str) -> None:
        try:
            deliver(self.url, document)
        except DataError as error:
            aside = path.with_suffix(_REFUSED)
            path.replace(aside)
            self.refused.append(f"{error.what} (run {path.stem}, put aside as {aside})")
        except PassedOverError:
            self.too_long = len(document)
            raise
        else:
            path.unlink(missing_ok=True)
            self.sent += 1


def _read(path: Path) -> str:
    """The run that waits in a file.

    Raises:
        FileNotFoundError: There is none.
        PassedOverError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise
    except OSError as error:
        what = f"a run that waits cannot be read: {error.strerror}"
        raise PassedOverError(what, where=str(path), remedy="let it be read, or take it away") from error
