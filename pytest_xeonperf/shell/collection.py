"""What happens to collected tests: ours become rungs, or are skipped with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _pytest.skipping import evaluate_skip_marks

from pytest_xeonperf.errors import XeonPerfError
from pytest_xeonperf.shell import markers
from pytest_xeonperf.shell.by_isa import meant_for_others
from pytest_xeonperf.shell.rungs import measures, rungs_of
from pytest_xeonperf.shell.state import RESULTS, RUNGS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from pytest_xeonperf.shell.rungs import Rung


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers of our tests, all of them, before anything heavy starts; skip them without ``--xeonperf``."""
    settings = config.stash[SETTINGS]
    complaints = []
    for item in items:
        if not measures(item):
            complaints += _misplaced(item) if settings.enabled else []
            continue
        if not settings.enabled:
            item.add_marker(pytest.mark.skip(reason="measures performance: run with --xeonperf"))
            continue
        try:
            rungs = rungs_of(item, settings)
        except XeonPerfError as error:
            complaints.append(f"{item.nodeid}: {error}")
            continue
        why = meant_for_others(item)
        if why:
            item.add_marker(pytest.mark.skip(reason=why))
        if not _will_be_skipped(item):  # nobody shall build its variant then
            item.stash[RUNGS] = rungs
    if complaints:
        raise pytest.UsageError("\n".join(complaints))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that promises something and checks nothing is not green (see the pytest reference)."""
    returned = yield
    if RUNGS in item.stash and _promises_something(item) and not item.stash.get(RESULTS, []):
        pytest.fail("its markers promise something that it never checked: call xeonperf.check(...)", pytrace=False)
    return returned


def _will_be_skipped(item: pytest.Item) -> bool:
    try:
        return evaluate_skip_marks(item) is not None
    except pytest.fail.Exception:
        return False  # a condition that cannot be evaluated: pytest says so when the test is its turn


def _promises_something(item: pytest.Item) -> bool:
    return any(mark.name in markers.PROMISES for mark in item.iter_markers())


def _misplaced(item: pytest.Item) -> list[str]:
    """What is wrong with a test that carries our promises and does not measure; those of a class may be for others."""
    if "benchmark" in getattr(item, "fixturenames", ()):
        return []  # may promise a latency
    names = [mark.name for mark in item.own_markers if mark.name in markers.PROMISES]
    return [f"{item.nodeid}: marker {names[0]} without the fixture xeonperf: nobody would check it"] if names else []


def ours(items: Iterable[pytest.Item]) -> tuple[pytest.Item, ...]:
    """The tests that measure, in order."""
    return tuple(item for item in items if RUNGS in item.stash)


def selected_rungs(items: Iterable[pytest.Item]) -> tuple[Rung, ...]:
    """The rungs of all selected tests, in order."""
    return tuple(rung for item in ours(items) for rung in item.stash[RUNGS])
