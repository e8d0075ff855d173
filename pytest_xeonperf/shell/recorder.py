"""Writes a session into the history: what a test came to is committed when it ends."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_xeonperf.ci.git import commit_of
from pytest_xeonperf.errors import UsageError, XeonPerfError
from pytest_xeonperf.records import Commit, Result, Run, RunState, Unknown
from pytest_xeonperf.units import show_count
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_xeonperf.records import Limits, Machine
    from pytest_xeonperf.shell.settings import Settings
    from pytest_xeonperf.store.repository import Store

_MEASURED_WITH = ("preset", "threads", "amx", "processes")
"""Settings that make another measurement of a run."""


@dataclass(slots=True)
class Recorder:
    """The open history of a session.

    Attributes:
        run: Empty until the machine is known; holds every result that was committed in this session or an earlier part.
        under_way: Whether this session has begun the run, or goes on with it.
    """

    settings: Settings
    rootdir: Path
    arguments: tuple[str, ...]
    store: list[Store] = field(default_factory=list)
    run: list[Run] = field(default_factory=list)
    under_way: bool = False
    stack: ExitStack = field(default_factory=ExitStack)

    def where(self) -> str:
        """The database, for people: without a password.

        Raises:
            UsageError: Its URL cannot be meant.
        """
        from pytest_xeonperf.store.location import locate

        return locate(self.settings.db).shown

    def open(self, machine: Machine) -> None:
        """Open the database now, so that a broken one is known before anything is measured.

        Raises:
            XeonPerfError: It is no database, cannot be written, or is newer than this code; or there is nothing in it
                that can be resumed here.
        """
        from pytest_xeonperf.store.engine import open_store

        self.store.append(self.stack.enter_context(open_store(self.settings.db)))
        if self.settings.resume:
            self.run.append(self._unfinished(machine))

    def begin(self, machine: Machine) -> None:
        """Start the run, go on with the one that is resumed, or know the machine of one under way better.

        Raises:
            UsageError: The run to be resumed was measured on a machine this one cannot be compared with.
        """
        from pytest_xeonperf.store.identity import new_run_id
        from pytest_xeonperf.store.location import as_typed

        if self.under_way:
            self.store[0].set_machine(self.run[0].id, machine)
            self.run[0] = replace(self.run[0], machine=machine)
            return
        if self.run:
            _require_same_machine(self.run[0], machine)
            self.store[0].resume_run(self.run[0].id)
            self.under_way = True
            return
        run = Run(
            id=new_run_id(),
            state=RunState.RUNNING,
            started_at=_now(),
            finished_at=Unknown(reason="still running"),
            command=as_typed([Path(sys.argv[0]).name, *self.arguments], self.settings.db),
            options=self.settings.as_pairs(),
            machine=machine,
            commit=commit_of(self.rootdir),
            results=(),
        )
        self.store[0].begin_run(run)
        self.run.append(run)
        self.under_way = True

    def set_limits(self, limits: Limits) -> None:
        """Note that the machine can do more than when the run began."""
        self.store[0].set_limits(self.run[0].id, limits)
        self.run[0] = replace(self.run[0], machine=replace(self.run[0].machine, limits=limits))

    def add(self, results: Sequence[Result]) -> None:
        """Commit what one test came to: all of it or, if this process dies, nothing."""
        self.store[0].add_results(self.run[0].id, results)
        self.run[0] = replace(self.run[0], results=(*self.run[0].results, *results))

    def finished_tests(self) -> dict[str, tuple[Result, ...]]:
        """Results of a resumed run by test."""
        found: dict[str, tuple[Result, ...]] = {}
        for result in self.run[0].results if self.run else ():
            found[result.node_id] = (*found.get(result.node_id, ()), result)
        return found

    def finish(self, state: RunState) -> None:
        """End the run, if one was begun; one that could not be resumed stays as it was."""
        if self.under_way:
            self.store[0].finish_run(self.run[0].id, state, _now())

    def write_report(self) -> Path | Unknown:
        """Write the pages; a report that cannot be written is said, and does not undo what was measured."""
        if not self.settings.report:
            return Unknown(reason="switched off")
        from pytest_xeonperf.report.site import write_site

        try:
            return write_site(self.store[0], Path(self.settings.report), run_id=self.run[0].id)
        except Exception as error:  # noqa: BLE001 - told in the summary; everything else of this session is done
            return Unknown(reason=f"could not be written: {error if str(error) else repr(error)}")

    def since_then(self) -> tuple[str, ...]:
        """How the speed-ups stand to earlier ones; nothing where there are none."""
        if not self.under_way or self.settings.preset is Preset.SMOKE:
            return ()
        from pytest_xeonperf.shell.looking_back import looking_back

        release, alpha = self.settings.release, self.settings.alpha
        return tuple(looking_back(self.store[0], self.run[0], self.rootdir, release=release, alpha=alpha))

    def raise_alerts(self) -> tuple[str, ...]:
        """Look whether a case of the finished run has become slower; a line where that is news."""
        if not self.under_way or self.settings.preset is Preset.SMOKE:
            return ()
        from pytest_xeonperf.ci.alerts import watch_run

        try:
            line = watch_run(self.store[0], self.run[0], at=_now()).line
        except Exception as error:  # noqa: BLE001 - told; report and push are still to come
            said = str(error) or repr(error)
            return (f"no alerts were raised: {said}; `xeonperf alerts scan` makes up for it",)
        return (line,) if line else ()

    def keep(self) -> tuple[str, ...]:
        """Let the finished run wait on disk for the service, before anything else may go wrong; a line if it cannot."""
        if not self.under_way or not self.settings.push:
            return ()
        from pytest_xeonperf.ci.box import keep
        from pytest_xeonperf.exchange.native import dumps

        try:
            run = self.store[0].run(self.run[0].id)
            if run.state is RunState.FINISHED:
                keep(self._outbox(), run.id, dumps(run))
        except (XeonPerfError, OSError) as error:
            return (f"not kept for {self.settings.push}: {error}",)
        return ()

    def push(self) -> tuple[str, ...]:
        """Send what waits to the service; lines on what became of it. Nothing that goes wrong here ends a session."""
        if not self.under_way or not self.settings.push:
            return ()
        from pytest_xeonperf.ci.box import deliver_kept

        try:
            found = deliver_kept(self._outbox(), self.settings.push)
        except Exception as error:  # noqa: BLE001 - told; everything else of this session is done
            return (f"not pushed: {error if str(error) else repr(error)}",)
        told = [f"pushed {show_count(found.sent, 'run')} to {self.settings.push}"] if found.sent else []
        if found.waiting:
            told.append(f"{show_count(found.waiting, 'run')} kept for the next session to push: {found.problem}")
        return (*told, *found.refused)

    def _outbox(self) -> Path:
        from pytest_xeonperf.ci.box import outbox

        return outbox(self.rootdir, self.settings.push)

    def close(self) -> None:
        """Close the database."""
        self.store.clear()
        self.stack.close()

    def _unfinished(self, machine: Machine) -> Run:
        """The newest unfinished run of this commit and this kind of machine; says why not, if there are only others."""
        commit = commit_of(self.rootdir)
        fitting = self.store[0].unfinished_run(commit_sha=_sha(commit), comparability_class=machine.comparability_class)
        found = self.store[0].unfinished_run() if isinstance(fitting, Unknown) else fitting
        if isinstance(found, Unknown):
            raise UsageError(f"nothing to resume: {found.reason}", where=self.where(), remedy="start a new run")
        earlier, now = dict(found.options), dict(self.settings.as_pairs())
        for name in _MEASURED_WITH:
            if earlier.get(name, now[name]) != now[name]:
                raise UsageError(
                    f"run {found.id} was measured with {name} {earlier.get(name)}, not {now[name]}",
                    where="--xeonperf-resume",
                    remedy=f"say --xeonperf-{name}={earlier.get(name)}, or start a new run",
                )
        _require_same_machine(found, machine)
        _require_same_commit(found, commit)
        return found


def _require_same_machine(run: Run, machine: Machine) -> None:
    earlier = run.machine
    if earlier.comparability_class != machine.comparability_class:
        raise UsageError(
            f"run {run.id} was measured on {earlier.cpu_model} with {earlier.isa}, {earlier.threads} "
            f"threads; this is {machine.cpu_model} with {machine.isa}, {machine.threads} threads",
            where="--xeonperf-resume",
            remedy="start a new run, without --xeonperf-resume",
        )


def _require_same_commit(run: Run, commit: Commit | Unknown) -> None:
    if _sha(run.commit) != _sha(commit):
        raise UsageError(
            f"run {run.id} measured commit {_sha(run.commit) or 'unknown'}; this is {_sha(commit) or 'unknown'}",
            where="--xeonperf-resume",
            remedy="check that commit out, or start a new run, without --xeonperf-resume",
        )


def _sha(commit: Commit | Unknown) -> str:
    return "" if isinstance(commit, Unknown) else commit.sha


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
