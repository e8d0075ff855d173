"""pytest-benchmark is a neighbour: it is recorded, and either of the two works without the other."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pytest_xeonperf.records import Outcome, RunState, Timing, Unknown

pytest.importorskip("pytest_benchmark")

JUDGED = ("--xeonperf", "--xeonperf-threads=1", "--xeonperf-report=off")
NOTHING = ()

TIMED = """
import pytest

def work():
    return sum(range(100))

@pytest.mark.max_latency(s=100)
def test_timed(benchmark):
    benchmark.group = "sums"
    benchmark.pedantic(work, rounds=7, iterations=3)
"""
BROKEN = """
import unittest
import pytest

def work():
    return sum(range(100))

@pytest.mark.max_latency(ns=0.001)
def test_slow(benchmark):
    benchmark.pedantic(work, rounds=3)

def test_promises_nothing(benchmark):
    benchmark.pedantic(work, rounds=3)

def test_wrong(benchmark):
    benchmark.pedantic(work, rounds=3)
    assert False, "its own failure"

@pytest.mark.xfail(strict=True)
@pytest.mark.max_latency(ns=0.001)
def test_expected_to_be_slow(benchmark):
    benchmark.pedantic(work, rounds=3)

class TestCase(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _benchmark(self, benchmark):
        self.benchmark = benchmark

    def test_in_a_class(self):
        self.benchmark.pedantic(work, rounds=3)

    def test_wrong_in_a_class(self):
        self.benchmark.pedantic(work, rounds=3)
        self.fail("its own failure")
"""
COMPARING = """
def test_compares(xeonperf):
    import torch

    xeonperf.compare(lambda: torch.ones(8), lambda: torch.ones(8))
"""
BLOCKER = "import sys\nsys.modules[{!r}] = None\n"


@pytest.fixture(scope="module")
def timed(run, suite):
    """A session of one test that holds what it promises, saved by pytest-benchmark too."""
    return run(suite({"test_timed.py": TIMED}, conftest=""), "--benchmark-json=theirs.json", base=JUDGED)


@pytest.fixture(scope="module")
def theirs(timed):
    return json.loads((timed.folder / "theirs.json").read_text())


@pytest.fixture(scope="module")
def broken(run, suite):
    return run(suite({"test_broken.py": BROKEN}, conftest=""), base=JUDGED)


def test_a_session_of_its_tests_alone_is_green_and_recorded(timed):
    assert timed.code == 0
    (ended,) = timed.runs
    assert ended.state is RunState.FINISHED
    result = timed.results["test_timed"]
    assert (result.case.workload, result.case.variant) == ("test_timed.py::test_timed", "sums")
    assert result.case.alone
    assert (result.measurement.rounds, len(result.measurement.durations_ns)) == (7, 7)
    assert result.verdict.outcome is Outcome.PASS
    assert [check.name for check in result.verdict.expectations] == ["max_latency"]


def test_the_plan_and_the_table_show_it(timed):
    timed.lines.fnmatch_lines(
        [
            "xeonperf: 1 of pytest-benchmark's tests are recorded too",
            "test_timed.py::test_timed  sums *PASS*",
        ]
    )


def test_no_limits_are_measured_for_it_and_that_is_said(timed):
    assert timed.runs[0].machine.limits == Unknown(reason="no test needed them")


def test_what_it_saves_has_our_fingerprint(timed, theirs):
    machine = timed.runs[0].machine
    assert theirs["machine_info"]["xeonperf"]["comparability_class"] == machine.comparability_class
    assert theirs["machine_info"]["xeonperf"]["facts"] == dict(machine.facts)


def test_our_export_gives_its_statistics_back(timed, theirs):
    command = [sys.executable, "-m", "pytest_xeonperf", "export", "--format", "pytest-benchmark", "--db", "xeonperf.db"]
    ours = json.loads(subprocess.run(command, cwd=timed.folder, capture_output=True, check=True).stdout)
    (own,), (other,) = ours["benchmarks"], theirs["benchmarks"]
    assert [own[key] for key in ("name", "fullname", "group")] == [other[key] for key in ("name", "fullname", "group")]
    for name in ("min", "max", "mean", "median", "q1", "q3", "data"):
        assert own["stats"][name] == pytest.approx(other["stats"][name], abs=1e-9), name


def test_a_latency_above_its_ceiling_fails_the_test_and_says_by_how_much(broken):
    assert broken.code == 1
    assert broken.results["test_slow"].verdict.outcome is Outcome.BELOW_FLOOR
    broken.lines.fnmatch_lines(["BELOW_FLOOR: *test_slow, timed alone: max_latency: *, required at most *"])


def test_without_a_promise_any_latency_passes(broken):
    assert broken.results["test_promises_nothing"].verdict.outcome is Outcome.PASS
    assert broken.results["test_in_a_class"].verdict.outcome is Outcome.PASS


def test_a_test_that_failed_by_itself_is_not_recorded(broken):
    assert "test_wrong" not in broken.results
    assert "test_wrong_in_a_class" not in broken.results


def test_a_failure_that_was_expected_is_no_failure(broken):
    broken.lines.fnmatch_lines(["*3 failed, 2 passed, 1 xfailed*"])


def test_at_the_smoke_preset_no_latency_is_judged(run, suite):
    ended = run(suite({"test_broken.py": BROKEN}, conftest=""), "-k", "test_slow")
    assert ended.code == 0
    assert ended.results["test_slow"].verdict.reason == "speed is not judged at this preset"


def test_a_promise_about_a_benchmark_that_was_never_called_is_undecided(run, suite):
    text = "import pytest\n@pytest.mark.max_latency(ms=5)\ndef test_idle(benchmark): pass"
    ended = run(suite({"test_idle.py": text}, conftest=""), base=JUDGED)
    assert ended.code == 6
    assert ended.results["test_idle"].verdict.outcome is Outcome.INCONCLUSIVE
    ended.lines.fnmatch_lines(["*1 undecided*"])


@pytest.mark.parametrize("option", ["--benchmark-disable", "--benchmark-skip"])
def test_benchmarks_that_are_switched_off_are_not_recorded(run, suite, option):
    ended = run(suite({"test_timed.py": TIMED}, conftest=""), option, base=JUDGED)
    assert ended.code == 0
    assert ended.runs == ()


def test_without_the_option_nothing_of_ours_happens(run, suite):
    ended = run(suite({"test_timed.py": TIMED}, conftest=""), "--benchmark-json=theirs.json", base=NOTHING)
    assert ended.code == 0
    assert not (ended.folder / "xeonperf.db").exists()
    assert "xeonperf" not in json.loads((ended.folder / "theirs.json").read_text())["machine_info"]


def test_a_typo_in_a_marker_costs_a_second(run, suite):
    text = "import pytest\n@pytest.mark.max_latency(minutes=5)\ndef test_typo(benchmark): pass"
    ended = run(suite({"test_typo.py": text}, conftest=""), base=JUDGED)
    assert ended.code == 4
    ended.lines.fnmatch_lines(["ERROR: test_typo.py::test_typo: marker max_latency: *", "*ns=, us=, ms=, s="])


def test_both_kinds_of_tests_make_one_run_on_the_machine_that_measured(run, suite):
    ended = run(suite({"test_1_timed.py": TIMED, "test_2_compares.py": COMPARING}, conftest=""))
    assert ended.code == 0
    (only,) = ended.runs
    assert [type(result.measurement) is Timing for result in only.results] == [True, False]
    assert "allocator" in dict(only.machine.facts)


def test_a_resumed_run_does_not_time_again_what_was_timed(run, suite):
    interrupted = "def test_stops(benchmark):\n    benchmark.pedantic(int)\n    raise KeyboardInterrupt\n"
    folder = suite({"test_1_timed.py": TIMED, "test_2_stops.py": interrupted}, conftest="")
    assert run(folder, base=JUDGED).code == 2
    (folder / "test_2_stops.py").write_text("def test_stops(benchmark): benchmark.pedantic(int)")
    (folder / "test_1_timed.py").write_text(TIMED + "    assert False, 'ran again'\n")
    ended = run(folder, "--xeonperf-resume", base=JUDGED)
    assert ended.code == 0
    (only,) = ended.runs
    assert [result.node_id.rpartition("::")[2] for result in only.results] == ["test_timed", "test_stops"]


def test_the_report_shows_latencies_and_their_trend(run, suite):
    folder = suite({"test_timed.py": TIMED}, conftest="")
    for _ in range(2):
        ended = run(folder, base=(*JUDGED[:-1], "--xeonperf-report=pages"))
    index = (folder / "pages" / "index.html").read_text()
    assert "Timed alone" in index
    assert "latency over 2 runs" in index
    case = ended.results["test_timed"].case
    assert '"panels":["candidate"]' in (folder / "pages" / f"case-{case.id}.html").read_text()


@pytest.mark.parametrize("how", ["switched off", "not installed"])
def test_ours_works_without_pytest_benchmark(run, suite, how):
    own = "import pytest\n@pytest.fixture\ndef benchmark(): return 'not theirs'\n"
    ordinary = "def test_own(benchmark): assert benchmark == 'not theirs'\n"
    files = {"test_a.py": COMPARING + ordinary, "blocker.py": BLOCKER.format("pytest_benchmark")}
    ended = run(suite(files, conftest=own), *_without("benchmark", "pytest_xeonperf", how), extra=_autoload(how))
    assert ended.code == 0
    assert list(ended.results) == ["test_compares"]


@pytest.mark.parametrize("how", ["switched off", "not installed"])
def test_pytest_benchmark_works_without_ours(run, suite, how):
    files = {"test_timed.py": TIMED, "blocker.py": BLOCKER.format("pytest_xeonperf")}
    folder = suite(files, conftest="")
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    max_latency: of a plugin that is not here\n")
    arguments = ("--benchmark-json=theirs.json", *_without("xeonperf", "pytest_benchmark", how))
    ended = run(folder, *arguments, base=NOTHING, extra=_autoload(how))
    assert ended.code == 0
    theirs = json.loads((folder / "theirs.json").read_text())
    assert len(theirs["benchmarks"][0]["stats"]["data"]) == 7
    assert "xeonperf" not in theirs["machine_info"]


def _without(plugin: str, other: str, how: str) -> tuple[str, ...]:
    """Arguments that keep one of the two away: by its name, or as if it could not be imported."""
    return ("-p", f"no:{plugin}") if how == "switched off" else ("-p", "blocker", "-p", f"{other}.plugin")


def _autoload(how: str) -> dict[str, str]:
    return {} if how == "switched off" else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
