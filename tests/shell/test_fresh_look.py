"""Tests are measured once more by a process of their own."""

from dataclasses import replace

import pytest

from pytest_xeonperf.exchange.native import to_plain
from pytest_xeonperf.shell import fresh_look, protocol
from pytest_xeonperf.shell.fresh_look import look_afresh
from pytest_xeonperf.shell.offspring import Child


@pytest.fixture
def answering(make_child, machine, monkeypatch):
    """Lets a child that says these things be the one that is started; gives what it was told, and its far end."""
    told = []

    def lay(*messages, program="import time; time.sleep(60)"):
        child, theirs = make_child(program)
        for message in (protocol.Ready(machine=machine), *messages):
            theirs.send(message)

        def begin(_cls, start, log):
            told.append((start, log.name))
            return child

        monkeypatch.setattr(Child, "start", classmethod(begin))
        return told, theirs, child

    return lay


def report(*results):
    return protocol.Report(data={"xeonperf_results": [to_plain(result) for result in results]})


def test_what_a_child_that_runs_these_tests_alone_reports_is_found(answering, make_result, start, tmp_path):
    first, second = make_result("eager_bf16"), make_result("sdpa_bf16")
    setup = protocol.Report(data={"when": "setup"})
    told, theirs, child = answering(
        setup,
        protocol.Idle(),
        report(first),
        protocol.TestDone(node_id="a"),
        report(second),
        protocol.TestDone(node_id="b"),
    )
    wanted = protocol.WantsFreshLook(node_ids=("a", "b"), why="process 2 of 2")
    assert look_afresh(wanted, start, tmp_path) == protocol.FreshLook(results=(first, second))
    assert told == [(replace(start, purpose=protocol.Purpose.LOOK_AFRESH, selected=("a", "b")), "fresh-look.log")]
    assert theirs.recv() == protocol.RunTest(node_id="a", next_node_id="b")
    assert theirs.recv() == protocol.RunTest(node_id="b", next_node_id="")
    assert child.process.poll() is not None


WANTED = protocol.WantsFreshLook(node_ids=("b",), why="red for its times")


def test_what_a_child_found_before_it_died_is_kept(answering, make_result, start, tmp_path, monkeypatch):
    result = make_result()
    _, theirs, _ = answering(report(result), program="raise SystemExit(7)")
    theirs.close()
    monkeypatch.setattr(Child, "tell", lambda *_: None)  # it is gone already
    found = look_afresh(WANTED, start, tmp_path)
    assert found.results == (result,)
    assert "7" in found.problem


def test_no_process_is_no_answer(start, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("too many processes")

    monkeypatch.setattr(Child, "start", classmethod(refuse))
    problem = "it did not start: too many processes"
    assert look_afresh(WANTED, start, tmp_path) == protocol.FreshLook(results=(), problem=problem)


def test_a_process_that_waits_for_the_first_one_is_given_up(answering, start, tmp_path, monkeypatch):
    monkeypatch.setattr(fresh_look, "_PATIENCE_S", 0.1)
    answering(protocol.Idle())
    found = look_afresh(WANTED, start, tmp_path)
    assert found.results == ()
    assert "said nothing" in found.problem
