"""The session of the user: its hooks hand our tests to a measuring child and record what comes back."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import ExitCode, InfrastructureError, XeonPerfError
from pytest_xeonperf.records import Machine, RunState, Unknown
from pytest_xeonperf.shell import protocol, terminal
from pytest_xeonperf.shell.collection import ours, selected_rungs
from pytest_xeonperf.shell.deaths import Next, conclude, dead_report
from pytest_xeonperf.shell.journal import Journal
from pytest_xeonperf.shell.markers import ANY_BASELINE, promises_of
from pytest_xeonperf.shell.neighbour import neighbours
from pytest_xeonperf.shell.offspring import ChildDiedError
from pytest_xeonperf.shell.options import Supervision
from pytest_xeonperf.shell.outlook import outlook
from pytest_xeonperf.shell.progress import Progress
from pytest_xeonperf.shell.replay import replayed
from pytest_xeonperf.shell.reporting import results_of, teardown_after
from pytest_xeonperf.shell.rungs import measures
from pytest_xeonperf.shell.state import JUDGEMENT, RUNGS
from pytest_xeonperf.shell.supervisor import Supervisor
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from pytest_xeonperf.shell.recorder import Recorder
    from pytest_xeonperf.shell.settings import Settings


@dataclass(slots=True)
class Session:
    """Registered as a plugin in the process that the user started; nothing here imports torch.

    Attributes:
        machine: As seen from outside; the measuring child sees more.
        working: Who runs the tests, who shows it and who notes it: empty until the first of our tests runs.
        stack: Undoes what measuring in this process has changed.
        page: The report that was written.
        reports: Of the test that is running, so far.
        last_words: What became of the speed-ups of the nearest earlier commit, of alerts, and of this run on its way to
            a service.
    """

    config: pytest.Config
    settings: Settings
    machine: Machine
    recorder: Recorder
    working: list[tuple[Supervisor, Progress, Journal]] = field(default_factory=list)
    stack: ExitStack = field(default_factory=ExitStack)
    page: Path | Unknown = Unknown(reason="nothing was measured")
    reports: list[pytest.TestReport] = field(default_factory=list)
    last_words: tuple[str, ...] = ()

    def pytest_report_header(self) -> list[str]:
        """Machine, ISA, threads, database."""
        return terminal.header(self.machine, self.recorder.where())

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """The plan, before anything heavy starts."""
        return outlook(selected_rungs(items), self.machine.isa, self.settings.processes)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Open the history before the first test, end the measuring child after the last."""
        if (ours(session.items) or neighbours(session.items)) and not session.config.option.collectonly:
            try:
                self.recorder.open(self.machine)
            except InfrastructureError as error:
                pytest.exit(str(error), returncode=ExitCode.INFRASTRUCTURE)
            except XeonPerfError as error:
                raise pytest.UsageError(str(error)) from None
        try:
            return (yield)
        except BaseException:
            for supervisor, *_ in self.working:
                supervisor.kill()
            raise
        finally:
            for supervisor, *_ in self.working:
                supervisor.close()
            self.stack.close()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Run one of our tests in the measuring child; all others run here as always."""
        if RUNGS not in item.stash:
            return None
        finished = self.recorder.finished_tests().get(item.nodeid, ()) if self.settings.resume else ()
        if self.settings.supervise is Supervision.OFF and not finished:
            self._ready(item.session)
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        if finished:
            self._log_whole(item, replayed(item, finished))
        else:
            self._run(item, nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what is said of a test until it is over."""
        self.reports.append(report)

    def pytest_runtest_logfinish(self) -> None:
        """Commit what a test came to, as soon as all of it is known."""
        results = results_of(self.reports)
        self.reports.clear()
        known = self.recorder.finished_tests() if self.settings.resume else {}
        if results and results[0].node_id not in known:
            try:
                self.recorder.add(results)
            except InfrastructureError as error:
                pytest.exit(str(error), returncode=ExitCode.INFRASTRUCTURE)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
        """End the run, write its report, and say so if green was not earned."""
        interrupted = exitstatus in {pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR}
        self.recorder.finish(RunState.INTERRUPTED if interrupted else RunState.FINISHED)
        if self.recorder.under_way:
            kept = self.recorder.keep()
            alerts = () if interrupted else self.recorder.raise_alerts()  # before the pages that show them
            self._write_report()
            self.last_words = (*self.recorder.since_then(), *alerts, *kept, *self.recorder.push())
        self.recorder.close()
        asked_to_measure = not session.config.option.collectonly
        if exitstatus == pytest.ExitCode.OK and asked_to_measure and self._undecided(session):
            session.exitstatus = ExitCode.UNDECIDED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table, and where history and report are."""
        if not self.recorder.under_way:
            return
        run = self.recorder.run[0]
        terminalreporter.section("xeonperf")
        terminalreporter.write_line(terminal.limits_line(run.machine.limits))
        terminal.write_table(terminalreporter, run)
        for line in self.last_words:
            terminalreporter.write_line(line)
        terminal.write_places(terminalreporter, database=self.recorder.where(), run_id=run.id, page=self.page)

    def _run(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Run a test in the child, again with a new one if another rung of its ladder killed the first."""
        supervisor, progress, journal = self._ready(item.session)
        while True:
            try:
                for message in supervisor.run(item.nodeid, _next_of_ours(item, nextitem)):
                    journal.hear(message)
                    progress.hear(message)
                    if isinstance(message, protocol.LimitsRaised):
                        self.recorder.set_limits(message.limits)
                        supervisor.know_limits(message.limits)
                    elif isinstance(message, protocol.Report):
                        progress.clear()
                        self._log(item, _report_of(self.config, message))
            except ChildDiedError as error:
                conclusion = conclude(error.death, item, supervisor)
                journal.note("death", {"test": item.nodeid, "reason": conclusion.reason})
                if conclusion.next is Next.RUN_AGAIN:
                    continue
                progress.clear()
                supervisor.leave_out(item.nodeid)
                self._log_whole(item, dead_report(item, conclusion.reason, supervisor.names, self.machine.isa))
            except InfrastructureError as error:
                pytest.exit(str(error), returncode=ExitCode.INFRASTRUCTURE)
            return

    def _ready(self, session: pytest.Session) -> tuple[Supervisor, Progress, Journal]:
        """Whoever runs the tests, ready, and a run that has begun."""
        if not self.working:
            journal = Journal.open(self.config.rootpath)
            supervisor = Supervisor(start=self._start(session), log=journal.log)
            progress = Progress(self.config.pluginmanager.getplugin("terminalreporter"))
            smoke = self.settings.preset is Preset.SMOKE
            progress.say("getting ready" + ("" if smoke else ": measuring what this machine can do at best"))
            try:
                if self.settings.supervise is Supervision.OFF:
                    from pytest_xeonperf.shell.inprocess import engine_here  # imports torch

                    engine = engine_here(
                        selected_rungs(session.items),
                        supervisor=supervisor,
                        progress=progress,
                        recorder=self.recorder,
                        stack=self.stack,
                    )
                    self.config.stash[JUDGEMENT] = engine
                    machine = engine.machine
                else:
                    machine = supervisor.machine()
                self.recorder.begin(machine)
            except InfrastructureError as error:
                pytest.exit(str(error), returncode=ExitCode.INFRASTRUCTURE)
            except XeonPerfError as error:
                raise pytest.UsageError(str(error)) from None
            finally:
                progress.clear()
            self.working.append((supervisor, progress, journal))
        return self.working[0]

    def _start(self, session: pytest.Session) -> protocol.Start:
        finished = self.recorder.finished_tests()
        return protocol.Start(
            purpose=protocol.Purpose.MEASURE,
            arguments=self.recorder.arguments,
            directory=str(self.config.invocation_params.dir),
            temporary=_temporary(self.config),
            settings=self.settings,
            selected=tuple(item.nodeid for item in ours(session.items) if item.nodeid not in finished),
            cases=_floored(session.items),
            barred=(),
            machine=self.machine,
        )

    def _log(self, item: pytest.Item, report: pytest.TestReport) -> None:
        item.ihook.pytest_runtest_logreport(report=report)

    def _log_whole(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Log a report that stands for the whole of a test."""
        self._log(item, report)
        self._log(item, teardown_after(report))

    def _write_report(self) -> None:
        """Write the pages, which takes a while over a long history."""
        shown = [progress for _, progress, _ in self.working if self.settings.report]
        for progress in shown:
            progress.say_below("writing the report")
        self.page = self.recorder.write_report()
        for progress in shown:
            progress.clear()

    def _undecided(self, session: pytest.Session) -> bool:
        """Whether a test was not decided, or there were tests of ours, skipped ones too, and nothing was measured."""
        results = self.recorder.run[0].results if self.recorder.run else ()
        nothing = any(map(measures, session.items)) and not results
        return nothing or any(result.verdict.outcome.undecided for result in results)


def _floored(items: Sequence[pytest.Item]) -> int:
    """How many promises on times the cases of a session have; a test that compares two callables is one case."""
    promised = [rung.promises for rung in selected_rungs(items)]
    promised += [promises_of(item, ANY_BASELINE) for item in ours(items) if not item.stash[RUNGS]]
    return sum(each.timed for each in promised)


def _temporary(config: pytest.Config) -> str:
    """The folder that ``--basetemp`` names, emptied by us and by no child; empty without the option."""
    if not config.getoption("basetemp", default=None):
        return ""
    return str(config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]  # noqa: SLF001 - as xdist does


def _next_of_ours(item: pytest.Item, nextitem: pytest.Item | None) -> str:
    """The next test that the child will run; it keeps the fixtures that both use."""
    if nextitem is None:
        return ""
    following = item.session.items[item.session.items.index(nextitem) :]
    return next((each.nodeid for each in ours(following)), "")


def _report_of(config: pytest.Config, message: protocol.Report) -> pytest.TestReport:
    report: pytest.TestReport = config.hook.pytest_report_from_serializable(config=config, data=dict(message.data))
    return report
