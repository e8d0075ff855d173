"""The report of a large history, measured: ``python -m tests.scale.report FILE``; `tests.scale.history` makes the file.

Renders it as a new process into an empty folder, adds one run to the file and renders again, then once more with
nothing new. With ``--asv PYTHON``, an interpreter with asv, the same history is given to ``asv publish`` in between.
Exits with 1 where a bound is broken, after everything has been measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_xeonperf.store.engine import open_store
from tests.scale.asv_results import write_asv
from tests.scale.history import next_run

if TYPE_CHECKING:
    from collections.abc import Sequence

FROM_NOTHING = "report, from nothing"
ONE_MORE = "report, one run more"
MOST_S = {FROM_NOTHING: 60.0, ONE_MORE: 3.0}
MOST_RSS_BYTES = 1 << 30
MOST_PAGE_BYTES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one process with its children; the peak is that of the largest one."""

    what: str
    wall_s: float
    cpu_s: float
    peak_rss_bytes: int


def measured(what: str, command: list[str], *, folder: Path) -> Cost:
    """What a command costs, started anew."""
    before = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} left with {process.returncode}")
    wall_s = time.perf_counter() - before
    return Cost(what=what, wall_s=wall_s, cpu_s=usage.ru_utime + usage.ru_stime, peak_rss_bytes=usage.ru_maxrss << 10)


def add_run(path: Path) -> None:
    """One more run of every case."""
    with open_store(str(path)) as store:
        run = next_run(path, cases=len(store.cases()))
        store.add_run(run)


def show(cost: Cost) -> None:
    """A line of the table, as soon as it is known."""
    figures = f"{cost.wall_s:8.2f} s {cost.cpu_s:8.2f} s of CPU {cost.peak_rss_bytes / 2**20:6.0f} MiB"
    print(f"{cost.what:28}{figures}   load {os.getloadavg()[0]:.1f}", flush=True)  # noqa: T201 - a program


def broken(costs: Sequence[Cost], page_bytes: Sequence[int]) -> list[str]:
    """The bounds that are not held, in words: those of our report, not of what is measured beside it.

    Args:
        costs: Of the report.
        page_bytes: Of its pages.
    """
    found = [
        f"{cost.what}: {cost.wall_s:.2f} s, at most {MOST_S[cost.what]:g}"
        for cost in costs
        if cost.wall_s > MOST_S.get(cost.what, float("inf"))
    ]
    found += [
        f"{cost.what}: {cost.peak_rss_bytes / 2**20:.0f} MiB, at most {MOST_RSS_BYTES >> 20}"
        for cost in costs
        if cost.peak_rss_bytes > MOST_RSS_BYTES
    ]
    large = [size for size in page_bytes if size > MOST_PAGE_BYTES]
    if large:
        found.append(f"{len(large)} pages above {MOST_PAGE_BYTES / 1e6:g} MB, the largest {max(large) / 1e6:.2f} MB")
    return found


def main() -> None:
    """Measure, print, and exit with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="the history; one run is added to it")
    parser.add_argument("--asv", metavar="PYTHON", help="an interpreter with asv, to be measured beside it")
    given = parser.parse_args()
    path = given.file.resolve()
    with tempfile.TemporaryDirectory(prefix="xeonperf-scale-", dir=path.parent) as made:
        folder = Path(made)
        ours = [sys.executable, "-m", "pytest_xeonperf", "report", "--db", str(path), "-o", str(folder / "pages")]
        publish = [given.asv, "-m", "asv", "publish", "--config", "asv.conf.json"]
        if given.asv:
            write_asv(path, folder / "asv")
        costs = [measured(FROM_NOTHING, ours, folder=folder)]
        show(costs[-1])
        if given.asv:
            show(measured("asv publish, from nothing", publish, folder=folder / "asv"))
        add_run(path)
        costs.append(measured(ONE_MORE, ours, folder=folder))
        show(costs[-1])
        if given.asv:
            write_asv(path, folder / "asv", newest_only=True)
            show(measured("asv publish, one run more", publish, folder=folder / "asv"))
        costs.append(measured("report, nothing new", ours, folder=folder))
        show(costs[-1])
        sizes = [page.stat().st_size for page in (folder / "pages").glob("*.html")]
        line = f"{len(sizes)} pages, {sum(sizes) / 1e6:.0f} MB, the largest {max(sizes) / 1e6:.2f} MB"
        print(line)  # noqa: T201 - a program
    bounds = broken(costs, sizes)
    for bound in bounds:
        print(f"bound broken: {bound}")  # noqa: T201 - a program
    sys.exit(1 if bounds else 0)


if __name__ == "__main__":
    main()
