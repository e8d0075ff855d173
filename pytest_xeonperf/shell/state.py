"""Keys of what the hooks of one session share: everything lives on pytest's stash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Case, Isa, Result
    from pytest_xeonperf.shell.results import Tested
    from pytest_xeonperf.shell.rungs import Rung
    from pytest_xeonperf.shell.settings import Settings
    from pytest_xeonperf.workloads.protocol import Workload


class Judgement(Protocol):
    """Who answers a test's `check`: the engine, or the scale of a process that only weighs one variant."""

    def result(self, rung: Rung, workload: Workload) -> Result:
        """What a rung came to."""

    def compare(
        self, test: Tested, case: Case, candidate: Callable[[], object], baseline: Callable[[], object]
    ) -> Result:
        """What one callable came to against another."""


SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
"""On the config: the resolved settings."""

ISA: pytest.StashKey[Isa] = pytest.StashKey()
"""On the config, where tests measure: the instruction set that is usable."""

JUDGEMENT: pytest.StashKey[Judgement] = pytest.StashKey()
"""On the config of the process that measures."""

IN_CHILD: pytest.StashKey[bool] = pytest.StashKey()
"""On the config of a measuring child."""

RUNGS: pytest.StashKey[tuple[Rung, ...]] = pytest.StashKey()
"""On an item: the rungs it stands on."""

RESULTS: pytest.StashKey[list[Result]] = pytest.StashKey()
"""On an item: what its checks came to."""

ONLY_LOOKING: pytest.StashKey[bool] = pytest.StashKey()
"""On the config of a process that looks afresh for another: its own verdicts end no test."""
