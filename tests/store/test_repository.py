"""The history keeps what it is given."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_xeonperf.errors import DataError, UsageError
from pytest_xeonperf.records import Outcome, RunState, Unknown
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.identity import new_run_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.records import Result, Run
    from pytest_xeonperf.store.repository import Store


@pytest.fixture(scope="module")
def lasting_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(str(tmp_path_factory.mktemp("history") / "xeonperf.db")) as opened:
        yield opened


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_run_comes_back_as_it_went_in(
    lasting_store: Store, any_run: st.SearchStrategy[Run], data: st.DataObject
) -> None:
    run = data.draw(any_run)
    assert lasting_store.add_run(run)
    assert lasting_store.run(run.id) == run


def test_a_run_comes_back_on_every_kind_of_database(store: Store, make_run: Callable[..., Run]) -> None:
    run = make_run()
    assert store.add_run(run)
    assert store.run(run.id) == run


def test_what_was_timed_alone_comes_back_among_the_rest(
    store: Store, make_run: Callable[..., Run], make_result: Callable[..., Result], timed: Result
) -> None:
    run = make_run(results=(make_result(), timed, make_result(variant="woq_int8")))
    store.add_run(run)
    assert store.run(run.id) == run


def test_a_run_can_be_told_as_it_happens(store: Store, begun: Callable[..., Run], make_run: Callable[..., Run]) -> None:
    whole = make_run()
    unknown_limits = replace(whole.machine, threads=1, limits=Unknown(reason="not measured yet"))
    store.begin_run(begun(id=whole.id, machine=unknown_limits))
    store.set_machine(whole.id, replace(whole.machine, limits=Unknown(reason="being measured")))
    store.set_limits(whole.id, whole.machine.limits)
    for result in whole.results:
        assert store.add_results(whole.id, [result])
    assert store.run(whole.id).state is RunState.RUNNING
    store.finish_run(whole.id, whole.state, "2026-09-01T10:20:00+00:00")
    assert store.run(whole.id) == whole


def test_what_is_there_already_is_neither_doubled_nor_overwritten(store: Store, make_run: Callable[..., Run]) -> None:
    run = make_run()
    store.add_run(run)
    first, *_ = run.results
    changed = replace(first, verdict=replace(first.verdict, outcome=Outcome.CRASHED))
    assert not store.add_results(run.id, [changed])
    assert not store.add_run(replace(run, command="another", results=(changed,)))
    store.begin_run(replace(run, command="another"))
    assert store.run(run.id) == run


def test_of_two_results_of_one_test_and_case_in_a_run_the_first_counts(
    store: Store, make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    first, again = make_result(node_id="a\0"), make_result(node_id="a\N{REPLACEMENT CHARACTER}", ratio=9.0)
    run = make_run(results=(first, make_result(), again))
    assert store.add_run(run)
    assert [result.verdict for result in store.run(run.id).results] == [first.verdict, run.results[1].verdict]
    assert store.run(run.id).results[0].measurement == first.measurement


def test_a_run_with_one_wrong_result_leaves_nothing(
    store: Store, make_run: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    wrong = replace(make_result(node_id="b"), measurement=make_result(variant="woq_int8").measurement)
    with pytest.raises(DataError, match="a measurement of"):
        store.add_run(make_run(results=(make_result(), wrong)))
    assert store.runs() == ()
    assert store.cases() == ()


def test_hostile_text_is_stored_rather_than_refused(store: Store, make_run: Callable[..., Run]) -> None:
    run = make_run(command="pytest '; DROP TABLE run; --' \udcff\0%s")
    store.add_run(run)
    assert store.run(run.id).command == "pytest '; DROP TABLE run; --' \\udcff\N{REPLACEMENT CHARACTER}%s"


@pytest.mark.parametrize("ratio", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_is_refused_and_leaves_no_half_result(
    store: Store, begun: Callable[..., Run], make_result: Callable[..., Result], ratio: float
) -> None:
    run, result = begun(), make_result()
    store.begin_run(run)
    broken = replace(result.measurement, speedup=replace(result.measurement.speedup, ratio=ratio))
    with pytest.raises(DataError, match="no figure"):
        store.add_results(run.id, [replace(result, measurement=broken)])
    assert store.results_of(run.id) == ()


def test_a_nan_score_is_refused_by_the_json_column(
    store: Store, begun: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    run, result = begun(), make_result()
    store.begin_run(run)
    score = replace(result.measurement.fidelity[0], value=float("nan"))
    with pytest.raises(DataError, match="holds no figure"):
        store.add_results(run.id, [replace(result, measurement=replace(result.measurement, fidelity=(score,)))])


def test_a_measurement_of_another_case_is_refused(
    store: Store, begun: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    run = begun()
    store.begin_run(run)
    with pytest.raises(DataError, match="a measurement of"):
        store.add_results(run.id, [replace(make_result(), measurement=make_result(variant="woq_int8").measurement)])


def test_a_run_that_was_never_begun_takes_nothing(store: Store, make_result: Callable[..., Result]) -> None:
    with pytest.raises(DataError, match="there is no run nobody"):
        store.add_results("nobody", [make_result()])
    with pytest.raises(DataError, match="there is no run nobody"):
        store.finish_run("nobody", RunState.FINISHED, "2026-09-01T10:20:00+00:00")
    with pytest.raises(UsageError, match="there is no run nobody"):
        store.run("nobody")


def test_the_newest_unfinished_run_is_found_to_be_resumed(
    store: Store, make_run: Callable[..., Run], begun: Callable[..., Run]
) -> None:
    assert isinstance(store.unfinished_run(), Unknown)
    killed = begun(started_at="2026-09-01T08:00:00+00:00")
    interrupted = begun(started_at="2026-09-02T08:00:00+00:00", state=RunState.INTERRUPTED)
    for run in (killed, interrupted, make_run(started_at="2026-09-03T08:00:00+00:00")):
        store.add_run(run)
    assert store.unfinished_run() == interrupted
    assert isinstance(store.unfinished_run(commit_sha="ab" * 20), Unknown)
    assert isinstance(store.unfinished_run(comparability_class="another"), Unknown)
    store.resume_run(interrupted.id)
    assert store.run(interrupted.id).state is RunState.RUNNING
    store.finish_run(interrupted.id, RunState.FINISHED, "2026-09-02T09:00:00+00:00")
    assert store.unfinished_run(commit_sha=killed.commit.sha) == killed


ADD_AND_DIE = """
    import os, pickle, signal, sys
    from pytest_xeonperf.store.engine import open_store
    url, run, results = pickle.load(sys.stdin.buffer)
    with open_store(url) as store:
        store.begin_run(run)
        for result in results:
            store.add_results(run.id, [result])
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_right_after_adding_loses_nothing(
    database: str, begun: Callable[..., Run], make_run: Callable[..., Run]
) -> None:
    run, results = begun(), make_run().results
    child = _start(ADD_AND_DIE, database, run, results)
    assert child.wait(timeout=60) == -signal.SIGKILL
    with open_store(database) as store:
        assert store.run(run.id) == replace(run, results=results)


ADD_ALL = """
    import pickle, sys
    from pytest_xeonperf.store.engine import open_store
    url, run, results = pickle.load(sys.stdin.buffer)
    with open_store(url) as store:
        store.begin_run(run)
        for result in results:
            assert store.add_results(run.id, [result])
"""


def test_four_processes_that_make_and_write_one_database_all_succeed(
    database: str, begun: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    results = tuple(make_result(node_id=f"suites/test_sam.py::test_{number}") for number in range(10))
    runs = [begun(id=new_run_id()) for _ in range(4)]
    children = [_start(ADD_ALL, database, run, results) for run in runs]
    assert [child.wait(timeout=120) for child in children] == [0, 0, 0, 0]
    with open_store(database, readonly=True) as store:
        assert all(store.results_of(run.id) == results for run in runs)


def test_sixteen_threads_may_share_a_store(
    store: Store, begun: Callable[..., Run], make_result: Callable[..., Result]
) -> None:
    run = begun()
    store.begin_run(run)
    results = [make_result(node_id=f"suites/test_sam.py::test_{number}") for number in range(32)]
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda result: store.add_results(run.id, [result]), results))
    assert {result.node_id for result in store.results_of(run.id)} == {result.node_id for result in results}


def _start(program: str, *arguments: Any) -> subprocess.Popen[bytes]:
    import pickle

    child = subprocess.Popen([sys.executable, "-c", dedent(program)], stdin=subprocess.PIPE, env=dict(os.environ))
    assert child.stdin is not None
    child.stdin.write(pickle.dumps(arguments))
    child.stdin.close()
    return child
