"""Notices on their way to people and programs: kept on disk until they are sent, or have failed often enough.

Whoever has something to tell puts it here and goes on; a thread sends it. Files survive a restart, with how often each
was tried.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Protocol, Self

from pytest_xeonperf.ci.box import keep
from pytest_xeonperf.ci.sole_sender import sole_sender
from pytest_xeonperf.errors import UsageError, XeonPerfError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

MOST_TRIES = 8
"""Over about three hours; then a notice is put aside."""

_FIRST_DELAY_S, _GROWTH, _LONGEST_DELAY_S = 10, 4, 3600
_MOST_WAITING = 1000
"""Notices of a channel: one that is away for weeks fills no disk."""

_MOST_KEPT = 100
"""Of those put aside, for who wants to know what nobody was told."""

_GIVEN_UP, _UNREADABLE = ".given-up", ".unreadable"
_LOOK_AGAIN_S = 60
_LOG = logging.getLogger("pytest_xeonperf.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to tell.

    Attributes:
        id: What was told once under it need not be told again; the name of a file.
        event: What happened, for programs: ``run.red``.
        subject: One line.
        text: For people.
        document: For programs.
    """

    id: str
    event: str
    subject: str
    text: str
    document: Mapping[str, Any]


class Channel(Protocol):
    """A way to tell it.

    Attributes:
        name: Of its folder, the same after a restart.
        shown: For the log; holds no secret.
    """

    name: str
    shown: str

    def send(self, notice: Notice) -> None:
        """Send a notice, or try to.

        Raises:
            XeonPerfError: It did not get there.
        """


class Outbox:
    """Notices that wait, and who sends them; threads may share it. As a context, it sends while it lasts."""

    def __init__(self, folder: Path, channels: Sequence[Channel], *, clock: Callable[[], float] = time.time) -> None:
        """Notices below a folder.

        Args:
            folder: Made if it is not there.
            channels: Each gets every notice.
            clock: Seconds since the epoch.
        """
        self._folder = folder
        self._channels = tuple(channels)
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="xeonperf-outbox", daemon=True)
        self._held = ExitStack()
        self._sent: set[Path] = set()  # and still there, since they cannot be deleted

    def __enter__(self) -> Self:
        """Begin to send.

        Raises:
            UsageError: Another process sends from this folder, or it cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._held.enter_context(sole_sender(self._folder))
        except OSError as error:
            raise UsageError(
                f"notices cannot wait there: {error.strerror}",
                where=str(self._folder),
                remedy="give a folder with --outbox that can be written and that no other service uses",
            ) from error
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop after the notice that is being sent; the others wait on disk."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()
        self._held.close()

    def put(self, notice: Notice) -> None:
        """Let a notice be sent. What goes wrong is logged: it is nothing to whoever brought the news."""
        for channel in self._channels:
            box = self._folder / channel.name
            try:
                if box.is_dir() and sum(1 for _ in box.glob("*.json")) >= _MOST_WAITING:
                    _LOG.error("%s: too many notices wait, %s is dropped", channel.shown, notice.id)
                else:
                    keep(box, notice.id, _written(notice, tries=0, not_before_s=0.0))
            except OSError as error:
                _LOG.error("%s: %s cannot wait: %s", channel.shown, notice.id, error.strerror)
        self._wake.set()

    def send_due(self) -> float:
        """Send what is due; in how many seconds something will be, infinite if nothing waits."""
        return min((self._send_due(channel) for channel in self._channels), default=inf)

    def _send_due(self, channel: Channel) -> float:
        box = self._folder / channel.name
        next_s = inf
        for path in sorted(box.glob("*.json")) if box.is_dir() else ():
            if self._stopping.is_set():
                break
            if path in self._sent:
                self._forget(channel, path)
                continue
            kept = self._read(channel, path)
            if kept is None:
                continue
            notice, tries, not_before_s = kept
            if not_before_s > self._clock():
                next_s = min(next_s, not_before_s - self._clock())
                continue
            try:
                not_before_s = self._try(channel, path, notice, tries + 1)
            except OSError as error:  # the disk is full, say
                _LOG.error("%s: %s cannot be put down: %s", channel.shown, path, error.strerror)
                not_before_s = self._clock() + _LOOK_AGAIN_S
            next_s = min(next_s, not_before_s - self._clock())
            if not_before_s < inf:
                break  # the channel does not take it now: the next would only wait for the same
        return max(0.0, next_s)

    def _read(self, channel: Channel, path: Path) -> tuple[Notice, int, float] | None:
        """What waits in a file, how often it was tried, and when it is to be; None if that is not to be had."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return Notice(**found["notice"]), int(found["tries"]), float(found["not_before_s"])
        except FileNotFoundError:  # somebody has taken it away
            return None
        except (ValueError, KeyError, TypeError, OSError) as error:
            _LOG.error("%s: %s cannot be read and is put aside: %s", channel.shown, path, error)
        try:
            path.replace(path.with_suffix(_UNREADABLE))
        except OSError as error:
            _LOG.error("%s: %s cannot be put aside: %s", channel.shown, path, error.strerror)
        return None

    def _try(self, channel: Channel, path: Path, notice: Notice, tries: int) -> float:
        """Send one; when to try again, infinite if it is gone."""
        try:
            channel.send(notice)
        except XeonPerfError as error:
            return self._failed(channel, path, notice, tries=tries, why=error.what)
        except Exception as error:  # noqa: BLE001 - a defect of ours, which keeps back no other notice
            _LOG.exception("%s: a defect", channel.shown)
            return self._failed(channel, path, notice, tries=tries, why=repr(error))
        self._forget(channel, path)
        return inf

    def _forget(self, channel: Channel, path: Path) -> None:
        """Take away what was sent; what cannot be taken away is at least not sent again."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            _LOG.error("%s: %s was sent and cannot be deleted: %s", channel.shown, path, error.strerror)
            self._sent.add(path)
        else:
            self._sent.discard(path)

    def _failed(self, channel: Channel, path: Path, notice: Notice, *, tries: int, why: str) -> float:
        if tries >= MOST_TRIES:
            _LOG.error("%s: %s was tried %d times and is put aside: %s", channel.shown, notice.id, tries, why)
            path.replace(path.with_suffix(_GIVEN_UP))
            aside = sorted(path.parent.glob(f"*{_GIVEN_UP}"), key=lambda each: each.stat().st_mtime)
            for oldest in aside[:-_MOST_KEPT]:
                oldest.unlink(missing_ok=True)
            return inf
        delay_s = float(min(_FIRST_DELAY_S * _GROWTH ** (tries - 1), _LONGEST_DELAY_S))
        _LOG.warning("%s: %s, again in %d s: %s", channel.shown, notice.id, delay_s, why)
        not_before_s = self._clock() + delay_s
        keep(path.parent, path.stem, _written(notice, tries=tries, not_before_s=not_before_s))
        return not_before_s

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                wait_s = self.send_due()
            except Exception:  # noqa: BLE001 - logged; it is nothing to those who bring runs
                _LOG.exception("notices are not sent")
                wait_s = _LOOK_AGAIN_S
            self._wake.wait(min(wait_s, _LOOK_AGAIN_S))
            self._wake.clear()  # what was put, or the end, stands where the next look finds it


def _written(notice: Notice, *, tries: int, not_before_s: float) -> str:
    return json.dumps({"notice": asdict(notice), "tries": tries, "not_before_s": not_before_s}, allow_nan=False)
