"""Keeps a measuring child alive: starts it, listens to it, and starts another when it died."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.fresh_look import look_afresh
from pytest_xeonperf.shell.offspring import Child, ChildDiedError
from pytest_xeonperf.shell.weighing_room import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pytest_xeonperf.records import Limits, Machine, Unknown


@dataclass(slots=True)
class Supervisor:
    """The children of one session, one at a time.

    Attributes:
        start: What every child is told; changes as variants are barred and the machine becomes known.
        names: What models are called, as far as a child has said it.
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
                if isinstance(message, protocol.WantsWeights):
                    yield message
                    child.tell(protocol.Weights(peak_rss_bytes=self.weigh(message)))
                elif isinstance(message, protocol.WantsFreshLook):
                    yield message
                    child.tell(self.look_afresh(message))
                elif isinstance(message, protocol.Named):
                    self.names[message.model] = message
                else:
                    yield message
        except ChildDiedError:
            self.children.clear()
            raise
        self.leave_out(node_id)

    def leave_out(self, node_id: str) -> None:
        """Keep a test that was reported off the ladders of later children: nobody would read what they measure."""
        self.start = replace(self.start, selected=tuple(each for each in self.start.selected if each != node_id))

    def bar(self, model: str, variant: str, reason: str) -> None:
        """Keep a variant that killed a child off the ladders of its model from now on."""
        barred = protocol.Barred(model=model, variant=variant, reason=reason)
        self.start = replace(self.start, barred=(*self.start.barred, barred))

    def know_limits(self, limits: Limits) -> None:
        """Tell later children what the machine can do."""
        self.start = replace(self.start, machine=replace(self.start.machine, limits=limits))

    def weigh(self, wanted: protocol.WantsWeights) -> Mapping[str, int | Unknown]:
        """Peak RSS by variant, each in a process of its own."""
        return weigh(wanted, self.start, self.log.parent)

    def look_afresh(self, wanted: protocol.WantsFreshLook) -> protocol.FreshLook:
        """What a fresh process makes of these tests."""
        return look_afresh(wanted, self.start, self.log.parent)

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
