"""pytest-benchmark is a neighbour: what its fixture times is recorded in our history and held to ``max_latency``.

Nothing of it is imported: its hook, and the attributes ``stats``, ``group`` and ``enabled`` of its fixture, are enough.
Its tests stay what they are, ordinary tests in the process that the user started; each of them is a case of its own,
timed alone: the workload is the test, the variant is pytest-benchmark's group.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from pytest_xeonperf.errors import ExitCode, InfrastructureError, UsageError, XeonPerfError
from pytest_xeonperf.exchange.pytest_benchmark import fingerprint
from pytest_xeonperf.judge.timing import judge_timing
from pytest_xeonperf.judge.verdict import Speed
from pytest_xeonperf.records import OVER_NOTHING, UNGROUPED, Case, Metric, Result, Timing, Unknown
from pytest_xeonperf.shell import markers
from pytest_xeonperf.shell.fixtures import conclude
from pytest_xeonperf.shell.replay import replayed
from pytest_xeonperf.shell.reporting import results_on
from pytest_xeonperf.shell.rungs import measures, place_of
from pytest_xeonperf.shell.state import RESULTS
from pytest_xeonperf.workloads.presets import Preset

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from pytest_xeonperf.judge.expectations import Promises
    from pytest_xeonperf.records import Machine
    from pytest_xeonperf.shell.recorder import Recorder
    from pytest_xeonperf.shell.settings import Settings

KEPT_ROUNDS = 1000
"""Rounds of one test that are kept: pytest-benchmark runs up to 200 000, and a history has many tests and runs."""

_ITS_NAME = "pytest-benchmark"
_ITS_FIXTURE = "benchmark"
_NO_PRESET = "-"  # its tests bring their own sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedTest:
    """A test that uses pytest-benchmark's fixture, and not ours."""

    node_id: str
    location: str
    promises: Promises


TIMED_TEST: pytest.StashKey[TimedTest] = pytest.StashKey()
"""On an item."""


def neighbours(items: Iterable[pytest.Item]) -> tuple[pytest.Item, ...]:
    """The tests that pytest-benchmark times, in order."""
    return tuple(item for item in items if TIMED_TEST in item.stash)


@dataclass(slots=True)
class Neighbour:
    """Registered as a plugin beside the session; where pytest-benchmark is not loaded it finds nothing to do.

    Attributes:
        machine: As seen from outside: pytest-benchmark times in a process that nobody prepared.
    """

    settings: Settings
    machine: Machine
    recorder: Recorder

    @pytest.hookimpl(optionalhook=True)
    def pytest_benchmark_update_machine_info(self, machine_info: dict[str, Any]) -> None:
        """Add our fingerprint to what pytest-benchmark saves (see its documentation: hooks)."""
        machine_info["xeonperf"] = fingerprint(self.machine)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Find its tests, and check our markers on them before anything runs."""
        if not config.pluginmanager.hasplugin(_ITS_NAME):
            return
        complaints = []
        for item in items:
            if _ITS_FIXTURE in getattr(item, "fixturenames", ()) and not measures(item):
                try:
                    item.stash[TIMED_TEST] = timed_test(item)
                except XeonPerfError as error:
                    complaints.append(f"{item.nodeid}: {error}")
        if complaints:
            raise pytest.UsageError("\n".join(complaints))

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """What of its tests will be recorded, as a line of the plan."""
        number = len(neighbours(items))
        return [f"xeonperf: {number} of {_ITS_NAME}'s tests are recorded too"] if number else []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Report a test that the resumed run has finished already; all others run as always."""
        if not self.settings.resume or TIMED_TEST not in item.stash:
            return None
        finished = self.recorder.finished_tests().get(item.nodeid, ())
        if not finished:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        item.ihook.pytest_runtest_logreport(report=replayed(item, finished))
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Judge what was timed while the test can still fail of it; a test that failed by itself is not recorded."""
        returned = yield
        if TIMED_TEST in item.stash and not _failed_in_unittest(item):
            results = self._results(item.stash[TIMED_TEST], item.funcargs[_ITS_FIXTURE])  # type: ignore[attr-defined]
            item.stash[RESULTS] = results
            conclude(results)
        return returned

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Begin the run, if no test of ours has, before the session commits the result to it."""
        if self.recorder.under_way or not results_on(report):
            return
        try:
            self.recorder.begin(replace(self.machine, limits=Unknown(reason="no test needed them")))
        except InfrastructureError as error:
            pytest.exit(str(error), returncode=ExitCode.INFRASTRUCTURE)
        except XeonPerfError as error:
            raise pytest.UsageError(str(error)) from None

    def _results(self, test: TimedTest, fixture: Any) -> list[Result]:
        """What a test came to; nothing where benchmarks are disabled, or nothing was timed and nothing promised."""
        if not fixture.enabled:
            return []
        timing = timing_of(fixture.stats["data"]) if fixture.stats else Unknown(reason="benchmark was never called")
        speed = Speed.IGNORED if self.settings.preset is Preset.SMOKE else Speed.JUDGED
        verdict = judge_timing(timing, test.promises.max_latency_ns, speed=speed)
        if isinstance(timing, Unknown) and not verdict.outcome.undecided:
            return []
        case = Case(
            workload=test.node_id,
            phase=_ITS_FIXTURE,
            preset=_NO_PRESET,
            variant=fixture.group or UNGROUPED,
            metric=Metric.LATENCY,
            over=OVER_NOTHING,
        )
        result = Result(
            node_id=test.node_id,
            location=test.location,
            case=case,
            measured_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            measurement=timing,
            verdict=verdict,
        )
        return [result]


def timed_test(item: pytest.Item) -> TimedTest:
    """What is known of a test at collection.

    Raises:
        UsageError: A marker cannot be meant, or promises what timing alone cannot tell.
    """
    for mark in item.iter_markers():
        if mark.name in markers.MARKERS:
            markers.check(mark)
    for mark in item.own_markers:  # those of a whole module may be meant for other tests in it
        if mark.name in markers.MARKERS and mark.name != markers.max_latency.__name__:
            raise UsageError(
                f"{_ITS_NAME} has nothing to compare with",
                where=f"marker {mark.name}",
                remedy="promise max_latency, or measure with the fixture xeonperf",
            )
    promises = markers.promises_of(item, markers.ANY_BASELINE)
    return TimedTest(node_id=item.nodeid, location=place_of(item), promises=promises)


def timing_of(durations_s: Sequence[float]) -> Timing:
    """What pytest-benchmark timed, seconds for one call in every round, as a record."""
    rounds = len(durations_s)
    kept = range(rounds) if rounds <= KEPT_ROUNDS else [index * rounds // KEPT_ROUNDS for index in range(KEPT_ROUNDS)]
    return Timing(
        item="call",
        rounds=rounds,
        durations_ns=tuple(round(durations_s[index] * 1e9) for index in kept),
        median_ns=round(median(durations_s) * 1e9),
    )


def _failed_in_unittest(item: pytest.Item) -> bool:
    """Whether a `unittest.TestCase` failed: pytest keeps that on the item until the report, and raises nothing."""
    return bool(getattr(item, "_excinfo", ()))
