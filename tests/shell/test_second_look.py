"""A case is measured once more by a process of its own."""

from dataclasses import replace

import pytest

from pytest_xeonperf.exchange.native import to_plain
from pytest_xeonperf.records import Unknown
from pytest_xeonperf.shell import protocol
from pytest_xeonperf.shell.offspring import Child
from pytest_xeonperf.shell.second_look import look_again


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


def test_the_case_is_found_on_the_report_of_a_child_that_runs_this_test_alone(answering, make_result, start, tmp_path):
    other, result = make_result("eager_bf16"), make_result("sdpa_bf16")
    setup, done = protocol.Report(data={"when": "setup"}), protocol.TestDone(node_id="b")
    told, theirs, child = answering(setup, protocol.Idle(), report(other, result), done)
    wanted = protocol.WantsSecondLook(node_id="b", case_id=result.case.id)
    assert look_again(wanted, start, tmp_path) == result
    assert told == [(replace(start, purpose=protocol.Purpose.LOOK_AGAIN, selected=("b",)), "second-look.log")]
    assert theirs.recv() == protocol.RunTest(node_id="b", next_node_id="")
    assert child.process.poll() is not None


def test_a_test_that_does_not_reach_its_check_says_so(answering, make_result, start, tmp_path):
    answering(protocol.TestDone(node_id="b"))
    wanted = protocol.WantsSecondLook(node_id="b", case_id="another")
    assert look_again(wanted, start, tmp_path) == Unknown(reason="the test did not get as far as its check")


def test_a_child_that_dies_is_no_answer(answering, start, tmp_path):
    _, theirs, _ = answering(program="raise SystemExit(7)")
    theirs.close()
    found = look_again(protocol.WantsSecondLook(node_id="b", case_id="x"), start, tmp_path)
    assert isinstance(found, Unknown)
    assert "7" in found.reason


def test_no_process_is_no_answer(start, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("too many processes")

    monkeypatch.setattr(Child, "start", classmethod(refuse))
    found = look_again(protocol.WantsSecondLook(node_id="b", case_id="x"), start, tmp_path)
    assert found == Unknown(reason="it did not start: too many processes")
