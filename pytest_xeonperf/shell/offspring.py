"""A measuring child as its session sees it: a process, the channel to it, and how it ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.host.environment import prepare
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.deaths import Death, ending, last_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PATIENCE_S = 10
"""With a process that should be ending."""
_WAIT_S = 1.0
"""At a time, for a child to speak."""
_NOBODY_RUNS = (protocol.Idle, protocol.WantsWeights, protocol.WantsFreshLook, protocol.TestDone)


class ChildDiedError(Exception):
    """The channel broke; carries the `Death`."""

    def __init__(self, death: Death) -> None:
        super().__init__(death.how)
        self.death = death


@dataclass(slots=True)
class Child:
    """One measuring child and the channel to it.

    Attributes:
        log: What the children wrote to stdout and stderr.
        log_begins_bytes: Where in it this child's part begins.
        running: What it last said it was busy with.
    """

    process: subprocess.Popen[bytes]
    channel: Connection
    log: Path
    log_begins_bytes: int = 0
    running: protocol.Entering | Unknown = Unknown(reason="no variant was running")
    progressed: bool = False

    @classmethod
    def start(cls, start: protocol.Start, log: Path, *, python: str = "", path: Sequence[str] = ()) -> Child:
        """Start a child under the prepared environment and tell it what it is for.

        Args:
            start: What it is told.
            log: Takes what it prints.
            python: The interpreter that runs it; empty for this one.
            path: Folders to import from before all others.
        """
        ours, theirs = socket.socketpair()
        timed = start.purpose is not protocol.Purpose.WEIGH
        environment = {**os.environ, **prepare(start.machine.amx.remedy, start.machine.threads, timed=timed)}
        if path:
            environment["PYTHONPATH"] = os.pathsep.join([*path, *filter(None, [environment.get("PYTHONPATH")])])
        with theirs, log.open("ab") as output:
            log_begins_bytes = output.tell()
            process = subprocess.Popen(
                [python or sys.executable, "-m", "pytest_xeonperf.shell.child", str(theirs.fileno())],
                env=environment,
                cwd=start.directory,  # from where -m imports first
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
        child = cls(process=process, channel=Connection(ours.detach()), log=log, log_begins_bytes=log_begins_bytes)
        try:
            child.tell(start)
        except ChildDiedError:
            child.channel.close()
            raise
        return child

    def tell(self, message: object) -> None:
        """Send a message.

        Raises:
            ChildDiedError: Nobody is there any more.
        """
        try:
            self.channel.send(message)
        except OSError:
            raise ChildDiedError(self._death()) from None

    def speaks_within(self, patience_s: float) -> bool:
        """Whether there is something to hear, or nobody any more to hear it from, before so many seconds are over.

        They are counted in waits, not read off a clock: while this process or the whole machine is stopped, nobody can
        speak.
        """
        left_s = patience_s
        while left_s > 0:
            if self.channel.poll(min(left_s, _WAIT_S)):
                return True
            if self.process.poll() is not None and not self.channel.poll():
                self.channel.close()  # something that the child had started still holds the other end
                return True
            left_s -= _WAIT_S
        return False

    def hear(self) -> Any:
        """The next message.

        Raises:
            ChildDiedError: The child is gone.
        """
        try:
            message = self.channel.recv()
        except (EOFError, OSError):
            raise ChildDiedError(self._death()) from None
        self.progressed = True
        if isinstance(message, protocol.Entering):
            self.running = message
        elif isinstance(message, _NOBODY_RUNS):
            self.running = Unknown(reason="no variant was running")
        return message

    def hear_ready(self) -> protocol.Ready:
        """That the child is collected and prepared.

        Raises:
            ChildDiedError: It never gets there.
        """
        message = self.hear()
        if not isinstance(message, protocol.Ready):
            raise ChildDiedError(self._death())
        return message

    def dismiss(self) -> None:
        """Let the child finish its session, or end it if it does not."""
        try:
            self.tell(protocol.Goodbye())
            while not isinstance(self.hear(), protocol.Goodbye):
                pass
            self.process.wait(_PATIENCE_S)
        except (ChildDiedError, subprocess.TimeoutExpired):
            self.kill()
        self.channel.close()

    def end(self) -> None:
        """Have no more of a child that keeps nothing: it would take seconds to tidy up memory that is freed anyway."""
        self.kill()
        self.channel.close()

    def kill(self) -> None:
        """End the child and everything it started."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):  # another thread was waiting for it, and has seen it end
                os.killpg(self.process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):  # the kernel may not let it go, from a dead file server for one
                self.process.wait(_PATIENCE_S)

    def _death(self) -> Death:
        try:
            code = self.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        how = f"{ending(code)}{last_words(self.log, self.log_begins_bytes)}"
        return Death(how=how, running=self.running, progressed=self.progressed)
