"""The measuring child: a pytest session of its own that runs the tests its parent sends, in the parent's order.

Started by `Supervisor` as ``python -m pytest_xeonperf.shell.child FD`` under the prepared environment. It collects the
same tests again, holds the models, and says everything it learns at once: it may be gone the next moment.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

import pytest
from _pytest.config import _prepareconfig

from pytest_xeonperf.errors import InfrastructureError
from pytest_xeonperf.host import repair
from pytest_xeonperf.host.environment import apply_in_process
from pytest_xeonperf.records import Remedy
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.collection import ours, selected_rungs
from pytest_xeonperf.shell.engine import Engine
from pytest_xeonperf.shell.measuring import known_machine
from pytest_xeonperf.shell.serving import Server
from pytest_xeonperf.shell.state import IN_CHILD, ISA, JUDGEMENT, ONLY_LOOKING
from pytest_xeonperf.shell.teller import Teller
from pytest_xeonperf.shell.weighing import Scale

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pytest_xeonperf.records import Case, Limits, Machine, Result, Unknown
    from pytest_xeonperf.shell.results import Tested
    from pytest_xeonperf.shell.rungs import Rung
    from pytest_xeonperf.workloads.protocol import Workload

_PR_SET_PDEATHSIG = 1
_NO_REWRITE = "ignore:Module already imported:pytest.PytestAssertRewriteWarning"
"""We are here before pytest, and have no assertions that it could rewrite."""


class _Wire(Teller):
    """The engine's listener: everything goes to the parent."""

    def __init__(self, channel: Connection) -> None:
        super().__init__(channel.send)
        self.channel = channel

    def weigh(self, wanted: protocol.WantsWeights) -> Mapping[str, int | Unknown]:
        self.channel.send(wanted)
        weights: protocol.Weights = self.channel.recv()
        return weights.peak_rss_bytes

    def look_afresh(self, wanted: protocol.WantsFreshLook) -> protocol.FreshLook:
        self.channel.send(wanted)
        answer: protocol.FreshLook = self.channel.recv()
        return answer

    def limits_raised(self, limits: Limits) -> None:
        self.channel.send(protocol.LimitsRaised(limits=limits))


@dataclass(frozen=True, slots=True)
class _Answering:
    """The engine, as tests ask it: once it has answered, a death is no variant's fault, and the parent knows."""

    engine: Engine
    channel: Connection

    def result(self, rung: Rung, workload: Workload) -> Result:
        try:
            return self.engine.result(rung, workload)
        finally:
            self.channel.send(protocol.Idle())

    def compare(
        self, test: Tested, case: Case, candidate: Callable[[], object], baseline: Callable[[], object]
    ) -> Result:
        try:
            return self.engine.compare(test, case, candidate, baseline)
        finally:
            self.channel.send(protocol.Idle())


class Loop:
    """Replaces pytest's run loop: tests come from the parent."""

    def __init__(self, config: pytest.Config, channel: Connection, start: protocol.Start, machine: Machine) -> None:
        self.config = config
        self.channel = channel
        self.start = start
        self.machine = machine
        self.uncollected: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run what is asked for until the parent says goodbye."""
        if self.machine.amx.remedy is Remedy.REPAIR:
            repair.reinstall()  # pytest's faulthandler has taken SIGSEGV since
        items = {item.nodeid: item for item in session.items}
        if self.start.purpose is protocol.Purpose.SERVE:
            return self._offer(session, items)
        looks_afresh = self.start.purpose is protocol.Purpose.LOOK_AFRESH
        self.config.stash[ONLY_LOOKING] = looks_afresh
        engine = Engine(
            settings=self.start.settings,
            rungs=selected_rungs(items[node_id] for node_id in self.start.selected if node_id in items),
            machine=self.machine,
            barred=self.start.barred,
            listener=_Wire(self.channel),
            cases=self.start.cases,
            looks_afresh=looks_afresh,
        )
        self.config.stash[JUDGEMENT] = _Answering(engine, self.channel)
        self.channel.send(protocol.Ready(machine=self.machine))
        return self._obey(items)

    def _offer(self, session: pytest.Session, items: Mapping[str, pytest.Item]) -> bool:
        """Be one side of a gate."""
        server = Server(
            channel=self.channel, start=self.start, rungs=selected_rungs(session.items), machine=self.machine
        )
        self.config.stash[JUDGEMENT] = server
        self.channel.send(protocol.Ready(machine=self.machine))
        server.offer(ours(session.items), self.uncollected)
        return self._obey(items)

    def _obey(self, items: Mapping[str, pytest.Item]) -> bool:
        while True:
            match self.channel.recv():
                case protocol.RunTest(node_id=node_id, next_node_id=next_node_id):
                    self._run(items, node_id, next_node_id)
                    self.channel.send(protocol.TestDone(node_id=node_id))
                case protocol.Weigh(node_id=node_id, variant=variant):
                    scale = Scale(variant=variant)
                    self.config.stash[JUDGEMENT] = scale
                    self._run(items, node_id, "")
                    self.channel.send(protocol.Weight(peak_rss_bytes=scale.peak_rss_bytes))
                case protocol.Goodbye():
                    return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note what cannot be collected: the session that the user sees tells of it, a gate has only this."""
        if report.failed:
            last = report.longreprtext.strip().splitlines()[-1:]
            self.uncollected.append(f"{report.nodeid or 'the session'}: {''.join(last)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Pass every report on, serialised as pytest does it for its own workers."""
        data = self.config.hook.pytest_report_to_serializable(config=self.config, report=report)
        self.channel.send(protocol.Report(data=data))

    def _run(self, items: Mapping[str, pytest.Item], node_id: str, next_node_id: str) -> None:
        if node_id not in items:
            raise InfrastructureError(
                "the measuring child did not collect this test", where=node_id, remedy="make collection deterministic"
            )
        self.config.hook.pytest_runtest_protocol(item=items[node_id], nextitem=items.get(next_node_id))


def main() -> None:
    """Become the child: prepare the process, then be a pytest session until the parent says goodbye."""
    _die_with_parent()
    with Connection(int(sys.argv[1])) as channel:
        start: protocol.Start = channel.recv()
        os.chdir(start.directory)
        with apply_in_process(start.machine.amx.remedy, start.machine.threads) as prepared:
            machine = known_machine(start, prepared)
            status = _session(channel, start, machine)
        channel.send(protocol.Goodbye())
    sys.exit(status)


def _session(channel: Connection, start: protocol.Start, machine: Machine) -> int | pytest.ExitCode:
    config = _prepareconfig([*start.arguments, "-W", _NO_REWRITE])
    config.stash[IN_CHILD] = True
    config.stash[ISA] = machine.isa
    config.workerinput = {}  # type: ignore[attr-defined]  # what plugins look for to leave files and summaries to the parent
    for name in ("maxfail", "usepdb", "lf", "failedfirst", "newfirst", "stepwise", "xmlpath", "collectonly"):
        if hasattr(config.option, name):
            setattr(config.option, name, 0 if name == "maxfail" else None)
    if start.temporary:  # pytest empties it at its first use: not the one of the session
        config.option.basetemp = f"{start.temporary}/child-{os.getpid()}"
    config.pluginmanager.register(Loop(config, channel, start, machine), "xeonperf-child")
    try:
        status: int | pytest.ExitCode = config.hook.pytest_cmdline_main(config=config)
    finally:
        config._ensure_unconfigure()  # noqa: SLF001 - as pytest.main does
        if machine.amx.remedy is Remedy.REPAIR:
            repair.reinstall()  # faulthandler has let go of SIGSEGV, and threads still ask for CPUID while they end
    return status


def _die_with_parent() -> None:
    """Ask Linux for a SIGKILL when the parent is gone; elsewhere the next send to it fails."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
