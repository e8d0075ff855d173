"""Runs that wait for a service: in order, once, and none lost while it is away."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pytest_xeonperf.ci import box
from pytest_xeonperf.ci.box import Delivery, deliver_kept, keep, outbox
from pytest_xeonperf.ci.delivery import deliver
from pytest_xeonperf.ci.sole_sender import sole_sender
from pytest_xeonperf.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_what_waits_is_sent_the_oldest_first_and_then_gone(service: Any, tmp_path: Path) -> None:
    for run_id in ("0199-b", "0199-a", "0198-z"):
        keep(tmp_path, run_id, f"run {run_id}")
    assert deliver_kept(tmp_path, service.url) == Delivery(sent=3, waiting=0)
    assert service.received == ["run 0198-z", "run 0199-a", "run 0199-b"]
    assert list(tmp_path.glob("*.json")) == []
    assert (tmp_path / ".gitignore").read_text() == "*\n"
    assert deliver_kept(tmp_path, service.url) == Delivery(sent=0, waiting=0)
    assert deliver_kept(tmp_path / "nowhere", service.url).sent == 0


def test_while_the_service_is_away_everything_waits_in_order(service: Any, tmp_path: Path) -> None:
    for run_id in ("1", "2", "3"):
        keep(tmp_path, run_id, f"run {run_id}")
    service.status = 503
    found = deliver_kept(tmp_path, service.url)
    assert (found.sent, found.waiting) == (0, 3)
    assert "503" in found.problem
    service.status = 0
    keep(tmp_path, "4", "run 4")
    assert deliver_kept(tmp_path, service.url).sent == 4
    assert service.received == [f"run {number}" for number in range(1, 5)]


def test_nobody_there_is_no_loss(tmp_path: Path) -> None:
    keep(tmp_path, "1", "run 1")
    found = deliver_kept(tmp_path, "http://127.0.0.1:9")
    assert (found.sent, found.waiting) == (0, 1)
    assert (tmp_path / "1.json").read_text() == "run 1"


def test_a_run_that_is_refused_is_put_aside_and_the_rest_gets_through(service: Any, tmp_path: Path) -> None:
    keep(tmp_path, "1", "bad")
    keep(tmp_path, "2", "run 2")
    found = deliver_kept(tmp_path, service.url)
    assert (found.sent, found.waiting) == (1, 0)
    (told,) = found.refused
    assert told == f"the service says 400: no (run 1, put aside as {tmp_path / '1.refused'})"
    assert not list(tmp_path.glob("*.json"))


def test_a_token_that_is_not_good_keeps_everything(service: Any, tmp_path: Path) -> None:
    keep(tmp_path, "1", "run 1")
    service.status = 401
    found = deliver_kept(tmp_path, service.url)
    assert (found.sent, found.waiting) == (0, 1)
    with pytest.raises(UsageError, match="says 401") as caught:
        deliver(service.url, "run 1")
    assert "XEONPERF_TOKEN" in caught.value.remedy


@pytest.mark.parametrize("status", [404, 405, 408, 429, 500])
def test_what_may_be_better_another_time_puts_no_run_aside(service: Any, tmp_path: Path, status: int) -> None:
    keep(tmp_path, "1", "run 1")
    service.status = status
    assert deliver_kept(tmp_path, service.url).waiting == 1
    service.status = 0
    assert deliver_kept(tmp_path, service.url).sent == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": "no"}', b'{"error": {"what": 3}}', b"\xff"])
def test_a_400_of_something_else_puts_no_run_aside(service: Any, tmp_path: Path, body: bytes) -> None:
    keep(tmp_path, "1", "run 1")
    service.status, service.body = 400, body
    found = deliver_kept(tmp_path, service.url)
    assert (found.waiting, found.refused) == (1, ())
    assert "400" in found.problem


def test_each_service_has_a_box_of_its_own(tmp_path: Path) -> None:
    boxes = {outbox(tmp_path, url) for url in ("http://a", "http://a/", "http://b")}
    assert len(boxes) == 2


def test_a_run_that_was_being_written_when_its_process_died_is_none(service: Any, tmp_path: Path) -> None:
    (tmp_path / ".1.part").write_text("half")
    assert deliver_kept(tmp_path, service.url).sent == 0
    assert service.received == []


def test_a_run_that_comes_too_slowly_stays_the_first_and_holds_back_none_that_is_smaller(
    service: Any, tmp_path: Path
) -> None:
    runs = {"1": "run 1", "2": "a large run", "3": "one as large", "4": "run 4", "5": "another large run"}
    for run_id, text in runs.items():
        keep(tmp_path, run_id, text)
    service.says = {"a large run": 408}
    found = deliver_kept(tmp_path, service.url)
    assert service.received == ["run 1", "run 4"]
    assert service.asked == ["run 1", "a large run", "run 4"]
    assert (found.sent, found.waiting, found.refused) == (2, 3, ())
    assert "says 408" in found.problem
    service.says = {}
    assert deliver_kept(tmp_path, service.url) == Delivery(sent=3, waiting=0)
    assert service.received[2:] == ["a large run", "one as large", "another large run"]


def test_what_stays_is_counted_also_where_the_service_is_not_there_for_a_later_one(
    service: Any, tmp_path: Path
) -> None:
    for run_id in ("1", "2", "3"):
        keep(tmp_path, run_id, "x" * (4 - int(run_id)))
    service.says = {"xxx": 408, "xx": 503}
    found = deliver_kept(tmp_path, service.url)
    assert (found.sent, found.waiting, "says 503" in found.problem) == (0, 3, True)


def test_a_run_that_cannot_be_read_stays_and_holds_back_no_other(service: Any, tmp_path: Path) -> None:
    (tmp_path / "1.json").mkdir()
    keep(tmp_path, "2", "run 2")
    found = deliver_kept(tmp_path, service.url)
    assert (found.sent, found.waiting) == (1, 1)
    assert "cannot be read" in found.problem


def test_two_who_send_at_once_send_each_run_once_and_in_order(service: Any, tmp_path: Path) -> None:
    service.pause_s = 0.01
    for number in range(10, 30):
        keep(tmp_path, str(number), f"run {number}")
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _number: deliver_kept(tmp_path, service.url), range(2)))
    assert service.asked == [f"run {number}" for number in range(10, 30)]
    assert sorted(each.sent for each in found) == [0, 20]
    assert [each.waiting for each in found] == [0, 0]


def test_somebody_else_who_sends_is_waited_for_only_so_long(
    service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box, "_PATIENCE_S", 0.1)
    keep(tmp_path, "1", "run 1")
    with sole_sender(tmp_path):
        found = deliver_kept(tmp_path, service.url)
    assert (found.waiting, "somebody else sends what waits" in found.problem) == (1, True)
    assert deliver_kept(tmp_path, service.url).sent == 1


def test_a_folder_that_cannot_be_written_is_told(service: Any, tmp_path: Path) -> None:
    keep(tmp_path, "1", "run 1")
    (tmp_path / ".lock").mkdir()
    found = deliver_kept(tmp_path, service.url)
    assert (found.waiting, "what waits cannot be sent" in found.problem) == (1, True)


def test_a_refused_run_that_somebody_takes_away_meanwhile_ends_nothing(
    service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_away(url: str, document: str) -> bool:
        if document == "bad":
            (tmp_path / "1.json").unlink()
        return deliver(url, document)

    monkeypatch.setattr(box, "deliver", take_away)
    keep(tmp_path, "1", "bad")
    keep(tmp_path, "2", "run 2")
    assert deliver_kept(tmp_path, service.url).sent == 1
