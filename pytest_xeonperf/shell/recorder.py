"""Writes a session into the history: each result is committed when its test ends."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING

from pytest_xeonperf.ci.git import commit_of
from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.records import Result, Run, RunState, Unknown

if TYPE_CHECKING:
    from pytest_xeonperf.records import Limits, Machine
    from pytest_xeonperf.shell.settings import Settings
    from pytest_xeonperf.store.repository import Store

_MEASURED_WITH = ("preset", "threads", "amx")
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

    def open(self) -> None:
        """Open the database now, so that a broken one is known before anything is measured.

        Raises:
            XeonPerfError: It is no database, cannot be written, or is newer than this code.
        """
        from pytest_xeonperf.store.engine import open_store

        self.store.append(self.stack.enter_context(open_store(self.settings.db)))
        if self.settings.resume:
            self.run.append(self._unfinished())

    def begin(self, machine: Machine) -> None:
        """Start the run, go on with the one that is resumed, or know the machine of one under way better.

        Raises:
            UsageError: The run to be resumed was measured on a machine this one cannot be compared with.
        """
        from pytest_xeonperf.store.identity import new_run_id

        if self.under_way:
            self.store[0].set_machine(self.run[0].id, machine)
            self.run[0] = replace(self.run[0], machine=machine)
            return
        if self.run:
            earlier = self.run[0].machine
            if earlier.comparability_class != machine.comparability_class:
                raise UsageError(
                    f"run {self.run[0].id} was measured on {earlier.cpu_model} with {earlier.isa}, {earlier.threads} "
                    f"threads; this is {machine.cpu_model} with {machine.isa}, {machine.threads} threads",
                    remedy="start a new run, without --xeonperf-resume",
                )
            self.store[0].resume_run(self.run[0].id)
            self.under_way = True
            return
        run = Run(
            id=new_run_id(),
            state=RunState.RUNNING,
            started_at=_now(),
            finished_at=Unknown(reason="still running"),
            command=join(
                [Path(sys.argv[0]).name, *(text.replace(self.settings.db, self.where()) for text in self.arguments)]
            ),
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

    def add(self, result: Result) -> None:
        """Commit one result."""
        self.store[0].add_result(self.run[0].id, result)
        self.run[0] = replace(self.run[0], results=(*self.run[0].results, result))

    def finished_tests(self) -> dict[str, tuple[Result, ...]]:
        """Results of a resumed run by test."""
        found: dict[str, tuple[Result, ...]] = {}
        for result in self.run[0].results if self.run else ():
            found[result.node_id] = (*found.get(result.node_id, ()), result)
        return found

    def finish(self, state: RunState) -> None:
        """End the run, if one was begun."""
        if self.run and self.store:
            self.store[0].finish_run(self.run[0].id, state, _now())

    def close(self) -> None:
        """Close the database."""
        self.store.clear()
        self.stack.close()

    def _unfinished(self) -> Run:
        found = self.store[0].unfinished_run()
        if isinstance(found, Unknown):
            raise UsageError(f"nothing to resume: {found.reason}", where=self.where(), remedy="start a new run")
        earlier, now = dict(found.options), dict(self.settings.as_pairs())
        for name in _MEASURED_WITH:
            if earlier.get(name) != now[name]:
                raise UsageError(
                    f"run {found.id} was measured with {name} {earlier.get(name)}, not {now[name]}",
                    where="--xeonperf-resume",
                    remedy=f"say --xeonperf-{name}={earlier.get(name)}, or start a new run",
                )
        return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
