"""What a session says of cases that have become slower in the runs before it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_xeonperf.store.engine import open_store

pytest.importorskip("pytest_benchmark")

ARGUMENTS = ("--xeonperf", "--xeonperf-threads=1")
TIMED = """
import time

def test_timed(benchmark):
    benchmark.pedantic(time.sleep, args=(0.002,), rounds=5)
"""


def test_a_session_tells_once_that_a_case_has_become_slower(suite, run):
    folder = suite({"test_it.py": TIMED})
    first = run(folder, *ARGUMENTS, base=())
    assert not any(line.startswith("alerts:") for line in first.lines.str().splitlines())
    (earlier,) = first.runs
    (result,) = earlier.results
    with open_store(str(folder / "xeonperf.db")) as store:
        for day in range(1, 29):  # it took a quarter of the time up to the twentieth
            median_ns = result.measurement.median_ns // (4 if day <= 20 else 1) + day
            timing = replace(result.measurement, median_ns=median_ns)
            store.add_run(
                replace(
                    earlier,
                    id=f"01970000-0000-7000-8000-{day:012}",
                    started_at=f"2020-07-{day:02}T10:00:00+00:00",
                    results=(replace(result, measurement=timing),),
                )
            )
    second = run(folder, *ARGUMENTS, base=())
    second.lines.fnmatch_lines(["alerts: 1 new (test_it.py::test_timed, timed alone +*); `xeonperf alerts` shows them"])
    assert second.code == first.code
    assert "1 open alert" in (folder / "reports" / "index.html").read_text()
    third = run(folder, *ARGUMENTS, base=())
    assert not any(line.startswith("alerts:") for line in third.lines.str().splitlines())
