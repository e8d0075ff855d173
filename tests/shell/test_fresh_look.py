"""Tests are measured once more by a process of their own."""

from dataclasses import replace

import pytest

from pytest_xeonperf.exchange.native import to_plain
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol
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
    assert look_afresh(protocol.WantsFreshLook(node_ids=("a", "b"), why="process 2 of 2"), start, tmp_path) == (
        first,
        second,
    )
    assert told == [(replace(start, purpose=protocol.Purpose.LOOK_AFRESH, selected=("a", "b")), "fresh-look.log")]
    assert theirs.recv() == protocol.RunTest(node_id="a", next_node_id="b")
    assert theirs.recv() == protocol.RunTest(node_id="b", next_node_id="")
    assert child.process.poll() is not None


WANTED = protocol.WantsFreshLook(node_ids=("b",), why="red for its times")


def test_a_child_that_dies_is_no_answer(answering, start, tmp_path):
    _, theirs, _ = answering(program="raise SystemExit(7)")
    theirs.close()
    found = look_afresh(WANTED, start, tmp_path)
    assert isinstance(found, Unknown)
    assert "7" in found.reason


def test_no_process_is_no_answer(start, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("too many processes")

    monkeypatch.setattr(Child, "start", classmethod(refuse))
    assert look_afresh(WANTED, start, tmp_path) == Unknown(reason="it did not start: too many processes")
