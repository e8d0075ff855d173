"""One side of a gate as its driver sees it: a worker process in its own tree, started anew when it has died."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import gate_protocol as say
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child, ChildDiedError
from pytest_xeonperf.shell.patience import ChildHungError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_xeonperf.records import Machine
    from pytest_xeonperf.shell.gate_request import Place
    from pytest_xeonperf.shell.patience import Patience


class WorkerDiedError(Exception):
    """A worker is gone; `variant` is what it was busy with, empty where nobody can tell."""

    did = "killed"

    def __init__(self, place: Place, variant: str, how: str) -> None:
        super().__init__(f"the worker of {place.side.value} {how}")
        self.place, self.variant, self.how = place, variant, how


class WorkerHungError(WorkerDiedError):
    """A worker said nothing for longer than it may, and was killed."""

    did = "hung"


@dataclass(slots=True)
class Worker:
    """The process of one side.

    Attributes:
        start: What it is told when it starts.
        patience: With its silence.
        offers: What it said it can serve; there once it has been started.
        running: The variant whose turn it is.
        doing: What it was asked for last.
    """

    place: Place
    start: protocol.Start
    log: Path
    patience: Patience
    children: list[Child] = field(default_factory=list)
    offers: list[say.Offer] = field(default_factory=list)
    running: str = ""
    doing: str = ""

    def offer(self) -> say.Offer:
        """What it can serve; starts it if need be.

        Raises:
            InfrastructureError: It cannot be started, speaks otherwise, or imports the other tree's code.
        """
        self._child()
        return self.offers[0]

    @property
    def machine(self) -> Machine:
        """As the worker sees it."""
        return self.start.machine

    def begin(self, node_id: str) -> say.Needs | Unknown:
        """Have it run a test up to its check: what memory the model needs, or why the test never got there.

        Raises:
            WorkerDiedError: It died on the way.
        """
        self.running, self.doing = "", f"in {node_id}, before its check"
        self._tell(protocol.RunTest(node_id=node_id, next_node_id=""))
        message = self._hear(say.Needs, protocol.TestDone)
        if isinstance(message, say.Needs):
            return message
        return Unknown(reason=f"{node_id} came to no check at {self.place.side.value}")

    def load(self, without: tuple[str, ...]) -> say.Loaded | Unknown:
        """Have it build what it has begun with; why it could not, where the test ended instead.

        Raises:
            WorkerDiedError: It died on the way.
            InfrastructureError: It imported the other tree's code.
        """
        self.doing = "while loading"
        self._tell(say.Build(without=without))
        message = self._hear(say.Loaded, protocol.TestDone)
        if not isinstance(message, say.Loaded):
            return Unknown(reason=f"the test failed at {self.place.side.value} before anything was loaded")
        self._require_own(message.foreign)
        return message

    def turn(self, variant: str) -> say.Took | say.Raised:
        """Have it call a variant once.

        Raises:
            WorkerDiedError: It died of it.
        """
        self.running, self.doing = variant, f"in a call of {variant}"
        answer: say.Took | say.Raised = self._answer(say.Turn(variant=variant), say.Took, say.Raised)
        self.running = ""
        return answer

    def healthy(self) -> bool:
        """Have it run the canary.

        Raises:
            WorkerDiedError: It died.
        """
        self.doing = "in the canary"
        answer: say.Sang = self._answer(say.Sing(), say.Sang)
        return answer.healthy

    def release(self) -> None:
        """Have it let go of the model.

        Raises:
            WorkerDiedError: It died.
        """
        self.doing = "while letting go of the model"
        self._tell(say.Enough())
        self._hear(protocol.TestDone)

    def end(self) -> None:
        """Have no more of the process; the next request starts another."""
        for child in self.children:
            child.end()
        self.children.clear()

    def _answer(self, question: object, *kinds: type) -> Any:
        """What it says to a question while it serves; it may leave the test instead, and is then of no more use."""
        self._tell(question)
        answer = self._hear(*kinds, protocol.TestDone)
        if isinstance(answer, protocol.TestDone):
            running = self.running
            self.end()
            raise WorkerDiedError(self.place, running, "left its test in the middle of the rounds")
        return answer

    def _tell(self, message: object) -> None:
        child = self._child()
        try:
            child.tell(message)
        except ChildDiedError as error:
            raise self._died(error, child) from None

    def _hear(self, *kinds: type) -> Any:
        """The next message of one of these kinds; what else the child says on the way is its session's business."""
        child = self._child()
        try:
            while True:
                self.patience.wait(child, self.running)
                message = child.hear()
                if isinstance(message, kinds):
                    return message
        except ChildDiedError as error:
            raise self._died(error, child) from None

    def _died(self, error: ChildDiedError, child: Child) -> WorkerDiedError:
        busy = child.running
        if isinstance(busy, Unknown):
            variant, doing = self.running, self.doing
        else:
            variant, doing = busy.variant, f"while {busy.stage} {busy.variant}"
        self.children.clear()
        kind = WorkerHungError if isinstance(error, ChildHungError) else WorkerDiedError
        return kind(self.place, variant, _how(error, doing))

    def _child(self) -> Child:
        if self.children:
            return self.children[0]
        try:
            child = Child.start(self.start, self.log, python=self.place.python, path=self.place.import_path)
        except OSError as error:
            raise InfrastructureError(
                f"cannot start the worker of {self.place.side.value}: {error.strerror}",
                where=self.place.python,
                remedy=f"name an interpreter that has pytest-xeonperf installed with --{self.place.side.value}-python",
            ) from None
        self.children.append(child)
        try:
            self.patience.wait(child, "")
            self.start = replace(self.start, machine=child.hear_ready().machine)
            self.patience.wait(child, "")
            offer = child.hear()
        except ChildDiedError as error:
            self.children.clear()
            raise InfrastructureError(
                f"the worker of {self.place.side.value} {_how(error, 'while starting and collecting its tests')}",
                where=self.start.directory,
                remedy=f"see {self.log}; try pytest --collect-only there, with {self.place.python}",
            ) from None
        except BaseException:
            self.end()
            raise
        if not isinstance(offer, say.Offer) or offer.version != say.VERSION:
            self.end()
            raise InfrastructureError(
                f"the pytest-xeonperf of {self.place.side.value} speaks another protocol",
                where=self.place.python,
                remedy="install one release of pytest-xeonperf for both sides",
            )
        self._require_own(offer.foreign)
        if offer.errors:
            self.end()
            raise InfrastructureError(
                f"{self.place.side.value} cannot be collected: {offer.errors[0]}",
                where=self.start.directory,
                remedy="a commit that cannot be measured is no base; name another one, or mend head",
            )
        self.offers[:] = [offer]
        return child

    def _require_own(self, foreign: tuple[str, ...]) -> None:
        """Refuse to compare a tree with itself.

        Raises:
            InfrastructureError: Modules come from the other side's tree.
        """
        if foreign:
            self.end()
            others = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
            raise InfrastructureError(
                f"{self.place.side.value} imports {foreign[0]}{others}: the other tree's code, not its own",
                where=self.start.directory,
                remedy="an editable install or PYTHONPATH points there: lay packages out at the top or in src/, or "
                f"give each side an environment of its own (--{self.place.side.value}-python)",
            )


def _how(error: ChildDiedError, doing: str) -> str:
    """How a child ended; of one that hung, also what it was doing."""
    if isinstance(error, ChildHungError):
        return f"{error.death.how} {doing}, and was killed; --patience gives it longer"
    return error.death.how
