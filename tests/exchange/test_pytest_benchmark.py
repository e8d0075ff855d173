"""pytest-benchmark's JSON, as it and the tools around it read it."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.exchange import pytest_benchmark
from pytest_xeonperf.records import UNGROUPED, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_xeonperf.records import Result, Run


def test_times_are_in_seconds_and_the_rest_travels_as_extra_info(make_run: Callable[..., Run]) -> None:
    document = json.loads(pytest_benchmark.dumps(make_run()))
    (benchmark,) = document["benchmarks"]
    assert benchmark["fullname"] == "suites/test_sam.py::test_compiled"
    assert benchmark["name"] == "test_compiled"
    assert benchmark["group"] == "sam-vit-b/encode [quick]"
    assert benchmark["stats"]["median"] == 0.01
    assert benchmark["stats"]["data"] == [0.009, 0.01, 0.011]
    assert benchmark["stats"]["ops"] == pytest.approx(100)
    assert benchmark["extra_info"]["speedup_ratio"] == 3.5
    assert benchmark["extra_info"]["verdict"] == "PASS"
    assert document["commit_info"]["id"] == "0f" * 20
    assert document["machine_info"]["cpu"]["brand_raw"] == "Intel(R) Xeon(R) Platinum 8488C"


def test_what_pytest_benchmark_timed_is_given_back_as_its_own(make_run: Callable[..., Run], timed: Result) -> None:
    (benchmark,) = json.loads(pytest_benchmark.dumps(make_run(results=(timed,))))["benchmarks"]
    assert (benchmark["fullname"], benchmark["name"], benchmark["group"]) == (
        "tests/test_fft.py::test_fft",
        "test_fft",
        "fft",
    )
    assert benchmark["stats"]["data"] == [0.00124, 0.00125, 0.00126, 0.0019]
    assert benchmark["extra_info"]["verdict"] == "PASS"
    assert "speedup_ratio" not in benchmark["extra_info"]


def test_what_belonged_to_no_group_belongs_to_none(make_run: Callable[..., Run], timed: Result) -> None:
    ungrouped = replace(timed, case=replace(timed.case, variant=UNGROUPED))
    assert json.loads(pytest_benchmark.dumps(make_run(results=(ungrouped,))))["benchmarks"][0]["group"] is None


def test_a_result_without_raw_times_is_left_out(
    make_run: Callable[..., Run], make_result: Callable[..., Result], crashed: Result, timed: Result
) -> None:
    unsampled = make_result(candidates_ns=())
    untimed = replace(timed, measurement=replace(timed.measurement, durations_ns=()))
    document = json.loads(pytest_benchmark.dumps(make_run(results=(crashed, unsampled, untimed))))
    assert document["benchmarks"] == []


def test_two_cases_of_one_test_have_names_of_their_own(
    make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    one = make_result()
    other = make_result(case=replace(one.case, over="eager_bf16"))
    benchmarks = json.loads(pytest_benchmark.dumps(make_run(results=(one, other))))["benchmarks"]
    assert [benchmark["fullname"].partition("[")[2] for benchmark in benchmarks] == [
        "compiled_bf16 over eager_fp32]",
        "compiled_bf16 over eager_bf16]",
    ]


def test_outside_a_repository_the_commit_is_unversioned(make_run: Callable[..., Run]) -> None:
    run = make_run(commit=Unknown(reason="not a repository"))
    assert json.loads(pytest_benchmark.dumps(run))["commit_info"]["id"] == "unversioned"


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=30))
def test_the_statistics_contain_each_other(times_ns: list[int]) -> None:
    stats = pytest_benchmark._stats(times_ns)
    assert stats["min"] <= stats["ld15iqr"] <= stats["median"] <= stats["hd15iqr"] <= stats["max"]
    assert stats["q1"] <= stats["median"] <= stats["q3"]
    assert stats["median"] == pytest.approx(statistics.median(times_ns) / 1e9)
    assert (stats["iqr_outliers"] == 0) == (stats["ld15iqr"] == stats["min"] and stats["hd15iqr"] == stats["max"])
    assert stats["outliers"] == f"{stats['stddev_outliers']};{stats['iqr_outliers']}"


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=30))
def test_the_statistics_are_those_that_pytest_benchmark_would_have_given(times_ns: list[int]) -> None:
    theirs = pytest.importorskip("pytest_benchmark.stats").Stats()
    for time_ns in times_ns:
        theirs.update(time_ns / 1e9)
    ours = pytest_benchmark._stats(times_ns)
    for name in ("min", "max", "mean", "stddev", "median", "q1", "q3", "iqr", "total", "ops", "rounds"):
        assert ours[name] == pytest.approx(getattr(theirs, name), rel=1e-9, abs=1e-12), name


def test_pytest_benchmark_itself_compares_two_exports(
    make_run: Callable[..., Run], make_result: Callable[..., Result], tmp_path: Path
) -> None:
    pytest.importorskip("pytest_benchmark")
    for name, candidates_ns in (("before", (9_000_000, 10_000_000)), ("after", (19_000_000, 20_000_000))):
        run = make_run(results=(make_result(candidates_ns=candidates_ns),))
        (tmp_path / f"{name}.json").write_text(pytest_benchmark.dumps(run))
    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "compare", "before.json", "after.json", "--csv=table.csv"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Failed to load" not in done.stderr + done.stdout
    assert "2 tests" in done.stdout
    table = (tmp_path / "table.csv").read_text().splitlines()
    assert len(table) == 3
    assert "suites/test_sam.py::test_compiled" in table[1]
