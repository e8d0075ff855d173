"""Keeps a measuring child alive: starts it, listens to it, and starts another when it died."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host.environment import prepare
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.deaths import Death, ending, last_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_xeonperf.records import Limits, Machine

_PATIENCE_S = 10


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
    def start(cls, start: protocol.Start, log: Path) -> Child:
        """Start a child under the prepared environment and tell it what it is for."""
        ours, theirs = socket.socketpair()
        environment = {**os.environ, **prepare(start.machine.amx.remedy, start.machine.threads)}
        with theirs, log.open("ab") as output:
            log_begins_bytes = output.tell()
            process = subprocess.Popen(
                [sys.executable, "-m", "pytest_xeonperf.shell.child", str(theirs.fileno())],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is the parent's to handle
            )
        child = cls(process=process, channel=Connection(ours.detach()), log=log, log_begins_bytes=log_begins_bytes)
        child.tell(start)
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
        elif isinstance(message, protocol.Idle | protocol.WantsWeight | protocol.TestDone):
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

    def kill(self) -> None:
        """End the child and everything it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _death(self) -> Death:
        try:
            code = self.process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self.process.returncode
        how = f"{ending(code)}{last_words(self.log, self.log_begins_bytes)}"
        return Death(how=how, running=self.running, progressed=self.progressed)


@dataclass(slots=True)
class Supervisor:
    """The children of one session, one at a time.

    Attributes:
        start: What every child is told; changes as variants are barred and the machine becomes known.
        names: What ladders are called, as far as a child has said it.
        false_starts: Children in a row that died before they had said anything.
    """

    start: protocol.Start
    log: Path
    children: list[Child] = field(default_factory=list)
    names: dict[str, protocol.Named] = field(default_factory=dict)
    false_starts: int = 0

    def machine(self) -> Machine:
        """The machine, as the first child sees it; starts it if need be."""
        self._child()
        return self.start.machine

    def run(self, node_id: str, next_node_id: str) -> Iterator[object]:
        """Run one test in the child; yields what it says, up to the end of the test.

        Raises:
            ChildDiedError: It did not live to the end; a new child will be started by the next call.
        """
        try:
            child = self._child()
            child.tell(protocol.RunTest(node_id=node_id, next_node_id=next_node_id))
            while not isinstance(message := child.hear(), protocol.TestDone):
                if isinstance(message, protocol.WantsWeight):
                    yield message
                    child.tell(protocol.Weight(peak_rss_bytes=self.weigh(message)))
                elif isinstance(message, protocol.Named):
                    self.names[message.ladder] = message
                else:
                    yield message
        except ChildDiedError:
            self.children.clear()
            raise
        self.leave_out(node_id)

    def leave_out(self, node_id: str) -> None:
        """Keep a test that was reported off the ladders of later children: nobody would read what they measure."""
        self.start = replace(self.start, selected=tuple(each for each in self.start.selected if each != node_id))

    def bar(self, ladder: str, variant: str, reason: str) -> None:
        """Keep a variant that killed a child off its ladder from now on."""
        barred = protocol.Barred(ladder=ladder, variant=variant, reason=reason)
        self.start = replace(self.start, barred=(*self.start.barred, barred))

    def know_limits(self, limits: Limits) -> None:
        """Tell later children what the machine can do."""
        self.start = replace(self.start, machine=replace(self.start.machine, limits=limits))

    def weigh(self, wanted: protocol.WantsWeight) -> int | Unknown:
        """Peak RSS of a variant in a process of its own."""
        start = replace(self.start, purpose=protocol.Purpose.WEIGH)
        child = Child.start(start, self.log.with_name("weighing.log"))  # its words are not those of the other child
        try:
            child.hear_ready()
            child.tell(protocol.Weigh(node_id=wanted.node_id, variant=wanted.variant))
            while not isinstance(message := child.hear(), protocol.Weight):
                pass
            child.dismiss()
        except ChildDiedError as error:
            return Unknown(reason=f"the weighing process {error.death.how}")
        except BaseException:  # Ctrl-C: nobody else knows of this child
            child.kill()
            raise
        return message.peak_rss_bytes

    def close(self) -> None:
        """End the session's child in good order."""
        for child in self.children:
            child.dismiss()
        self.children.clear()

    def kill(self) -> None:
        """End the session's child at once."""
        for child in self.children:
            child.kill()
        self.children.clear()

    def _child(self) -> Child:
        """The living child, or a new one; two that die before they are ready are not the code's fault."""
        while not self.children:
            child = Child.start(self.start, self.log)
            try:
                ready = child.hear_ready()
            except ChildDiedError as error:
                self.false_starts += 1
                if self.false_starts > 1:
                    raise InfrastructureError(
                        f"the measuring child {error.death.how}, twice, before it ran anything",
                        remedy="run `xeonperf doctor`, or with --xeonperf-supervise=off to see it happen",
                    ) from None
                continue
            except BaseException:  # Ctrl-C, while the machine's limits are measured
                child.kill()
                raise
            self.start = replace(self.start, machine=ready.machine)
            self.children.append(child)
        self.false_starts = 0
        return self.children[0]
