"""What a session says at its end of runs before it: that of the nearest earlier commit, and that of a pinned release.

What creeps by less from commit to commit than anybody minds adds up against the release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_xeonperf.ci.history import earlier_run, line_of, released_run
from pytest_xeonperf.errors import XeonPerfError
from pytest_xeonperf.exchange.shifts_table import outgrown_floors, since_then
from pytest_xeonperf.judge.shift import TOLERANCE_OF_SESSIONS
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store.comparing import compared

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


def looking_back(store: Store, run: Run, directory: Path, *, release: str, alpha: float) -> Iterator[str]:
    """Lines on how the speed-ups stand to earlier ones; none where nothing earlier can be compared with.

    Args:
        store: The history, with the run in it.
        run: Which has ended.
        directory: Of the repository.
        release: A tag or another name of a commit that every run is held against; empty for none.
        alpha: As for `judge.runs.compare_runs`.
    """
    try:
        line = line_of(run, directory)
        base = earlier_run(store, run, line)
        if not isinstance(base, Unknown):
            found = compared(store, store.run(base), run, line=line, tolerance=TOLERANCE_OF_SESSIONS, alpha=alpha)
            yield from (*since_then(found), *outgrown_floors(found)) if found.cases else ()
    except XeonPerfError as error:
        yield f"not compared with earlier runs: {error}"
        return
    if not release:
        return
    try:
        pinned = released_run(store, run, release, directory)
        if isinstance(pinned, Unknown):
            yield f"not compared with the release {release}: {pinned.reason}"
        elif pinned not in {base, run.id}:
            found = compared(store, store.run(pinned), run, line=line, tolerance=TOLERANCE_OF_SESSIONS, alpha=alpha)
            yield from since_then(found, release=release) if found.cases else ()
    except XeonPerfError as error:
        yield f"not compared with the release {release}: {error}"
