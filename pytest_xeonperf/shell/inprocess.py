"""Measures in the pytest process itself: for debuggers, and to see a crash happen."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from pytest_xeonperf.errors import UsageError
from pytest_xeonperf.host.environment import apply_in_process, prepare
from pytest_xeonperf.records import Remedy
from pytest_xeonperf.shell.engine import Engine
from pytest_xeonperf.shell.measuring import known_machine
from pytest_xeonperf.shell.teller import Teller

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_xeonperf.records import Limits, Unknown
    from pytest_xeonperf.shell import protocol
    from pytest_xeonperf.shell.progress import Progress
    from pytest_xeonperf.shell.recorder import Recorder
    from pytest_xeonperf.shell.rungs import Rung
    from pytest_xeonperf.shell.supervisor import Supervisor


class _Near(Teller):
    """The engine's listener when nobody is far away: progress is shown, weighing still takes a fresh process."""

    def __init__(self, progress: Progress, supervisor: Supervisor, recorder: Recorder) -> None:
        super().__init__(progress.hear)
        self.progress = progress
        self.supervisor = supervisor
        self.recorder = recorder

    def weigh(self, wanted: protocol.WantsWeights) -> Mapping[str, int | Unknown]:
        self.progress.hear(wanted)
        return self.supervisor.weigh(wanted)

    def look_afresh(self, wanted: protocol.WantsFreshLook) -> protocol.FreshLook:
        self.progress.hear(wanted)
        return self.supervisor.look_afresh(wanted)

    def limits_raised(self, limits: Limits) -> None:
        self.recorder.set_limits(limits)


def engine_here(
    rungs: tuple[Rung, ...], supervisor: Supervisor, progress: Progress, recorder: Recorder, stack: ExitStack
) -> Engine:
    """Prepare this process and give it an engine; `stack` undoes the preparation.

    What only a fresh process can have, an allocator for one, is left out.

    Raises:
        UsageError: torch is imported already, and this machine needs a remedy that must come first.
    """
    start = supervisor.start
    remedy = start.machine.amx.remedy
    if remedy is not Remedy.NONE and "torch" in sys.modules:
        raise UsageError(
            f"the AMX {remedy} has to come before torch is imported, and something has imported it",
            where="--xeonperf-supervise=off",
            remedy="import torch inside fixtures and tests, or let the measuring child do it (--xeonperf-supervise=on)",
        )
    stack.enter_context(_environment(prepare(remedy, start.machine.threads, preload=False)))
    prepared = stack.enter_context(apply_in_process(remedy, start.machine.threads))
    return Engine(
        settings=start.settings,
        rungs=rungs,
        machine=known_machine(start, prepared),
        barred=(),
        listener=_Near(progress, supervisor, recorder),
        cases=start.cases,
    )


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ[name] for name in settings if name in os.environ}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]
        os.environ.update(before)
