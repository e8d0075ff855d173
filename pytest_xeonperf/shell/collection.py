"""What happens to collected tests: ours become rungs, or are skipped with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import XeonPerfError
from pytest_xeonperf.shell.rungs import measures, rungs_of
from pytest_xeonperf.shell.state import RUNGS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pytest_xeonperf.shell.rungs import Rung


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers of our tests, all of them, before anything heavy starts; skip them without ``--xeonperf``."""
    settings = config.stash[SETTINGS]
    complaints = []
    for item in items:
        if not measures(item):
            continue
        if not settings.enabled:
            item.add_marker(pytest.mark.skip(reason="measures performance: run with --xeonperf"))
            continue
        try:
            item.stash[RUNGS] = rungs_of(item, settings)
        except XeonPerfError as error:
            complaints.append(f"{item.nodeid}: {error}")
    if complaints:
        raise pytest.UsageError("\n".join(complaints))


def ours(items: Iterable[pytest.Item]) -> tuple[pytest.Item, ...]:
    """The tests that measure, in order."""
    return tuple(item for item in items if RUNGS in item.stash)


def selected_rungs(items: Iterable[pytest.Item]) -> tuple[Rung, ...]:
    """The rungs of all selected tests, in order."""
    return tuple(rung for item in ours(items) for rung in item.stash[RUNGS])
