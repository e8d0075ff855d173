"""Jobs are shared out among copies of a process, and none is lost or done twice."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from multiprocessing.connection import Connection

import pytest

from pytest_xeonperf.report import parallel
from pytest_xeonperf.report.parallel import shared


def nothing() -> None:
    """In a child, of a test without a database."""


def numbered(number: int) -> tuple[int, int]:
    time.sleep(0.002)  # a child takes its turns too
    return number, os.getpid()


@pytest.mark.parametrize("most_turns", [4096, 7])
@pytest.mark.parametrize("processes", [1, 3])
def test_what_becomes_of_jobs_comes_in_their_order_whoever_did_them(processes, most_turns, monkeypatch):
    monkeypatch.setattr(parallel, "_MOST_TURNS", most_turns)
    done = list(shared([partial(numbered, number) for number in range(100)], processes=processes, in_child=nothing))
    assert [number for number, _who in done] == list(range(100))
    assert len({who for _number, who in done}) == processes


def test_no_job_is_done_twice(tmp_path):
    def once(number: int) -> None:
        (tmp_path / str(number)).touch(exist_ok=False)

    list(shared([partial(once, number) for number in range(100)], processes=2, in_child=nothing))
    assert len(list(tmp_path.iterdir())) == 100


def test_what_a_process_had_that_was_killed_is_done_again(tmp_path):
    def work(number: int) -> int:
        time.sleep(0.002)
        return number

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    jobs = [partial(work, number) for number in range(50)]
    assert list(shared(jobs, processes=2, in_child=die)) == list(range(50))
    killed = _killed_at_its_third(tmp_path / "third")
    assert list(shared([partial(killed, number) for number in range(50)], processes=2, in_child=nothing)) == list(
        range(50)
    )


def _killed_at_its_third(counted):
    """Work that the child does not survive, in the middle of its jobs."""
    parent = os.getpid()

    def work(number: int) -> int:
        time.sleep(0.002)
        if os.getpid() != parent:
            counted.write_text(f"{counted.read_text() if counted.exists() else ''}x")
            if len(counted.read_text()) == 3:
                os.kill(os.getpid(), signal.SIGKILL)
        return number

    return work


def test_few_jobs_are_not_worth_a_process():
    done = shared([partial(numbered, number) for number in range(7)], processes=4, in_child=nothing)
    assert {who for _number, who in done} == {os.getpid()}


def test_an_answer_that_broke_off_is_made_up_for(monkeypatch):
    def half(connection: Connection, _answer: object) -> None:
        os.write(connection.fileno(), b"\x00\x00\x10\x00half")  # of the four thousand bytes that it announces
        os._exit(1)

    monkeypatch.setattr(Connection, "send", half)
    done = shared([partial(numbered, number) for number in range(50)], processes=2, in_child=nothing)
    assert [number for number, _who in done] == list(range(50))


def test_who_fails_leaves_no_process_that_goes_on(tmp_path):
    parent = os.getpid()

    def work(number: int) -> None:
        time.sleep(0.01)
        if os.getpid() == parent:
            raise OSError("the disk is full")
        (tmp_path / str(number)).touch()

    with pytest.raises(OSError, match="full"):
        list(shared([partial(work, number) for number in range(200)], processes=2, in_child=nothing))
    there = len(list(tmp_path.iterdir()))
    time.sleep(0.1)
    assert len(list(tmp_path.iterdir())) == there < 50
