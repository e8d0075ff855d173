"""Runs on their way to a service: in order, once, and none lost while it is away."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.ci.delivery import Delivery, checked, deliver, deliver_kept, keep
from pytest_xeonperf.errors import DataError, InfrastructureError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Fake(ThreadingHTTPServer):
    """Something that takes runs, as the service does, or answers as a test wants."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.tokens: list[str] = []
        self.status = 0
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.tokens.append(self.headers["Authorization"])
        status = 400 if "bad" in body else self.server.status or 201
        answer = {"new": body not in self.server.received} if status == 201 else {"error": {"what": "no"}}
        if status == 201:
            self.server.received.append(body)
        self.send_response(status)
        text = json.dumps(answer).encode()
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Fake]:
    """A service in a thread."""
    with Fake() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_what_waits_is_sent_the_oldest_first_and_then_gone(service: Fake, tmp_path: Path) -> None:
    for run_id in ("0199-b", "0199-a", "0198-z"):
        keep(tmp_path, run_id, f"run {run_id}")
    assert deliver_kept(tmp_path, service.url) == Delivery(sent=3, waiting=0, problem="")
    assert service.received == ["run 0198-z", "run 0199-a", "run 0199-b"]
    assert list(tmp_path.iterdir()) == []
    assert deliver_kept(tmp_path, service.url) == Delivery(sent=0, waiting=0, problem="")
    assert deliver_kept(tmp_path / "nowhere", service.url).sent == 0


def test_while_the_service_is_away_everything_waits_in_order(service: Fake, tmp_path: Path) -> None:
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


def test_a_run_that_is_refused_is_put_aside_and_the_rest_gets_through(service: Fake, tmp_path: Path) -> None:
    keep(tmp_path, "1", "bad")
    keep(tmp_path, "2", "run 2")
    found = deliver_kept(tmp_path, service.url)
    assert (found.sent, found.waiting) == (1, 0)
    assert found.problem == "1 was refused, and put aside as 1.refused: the service says 400: no"
    assert [path.name for path in tmp_path.iterdir()] == ["1.refused"]


def test_a_token_that_is_not_good_keeps_everything(service: Fake, tmp_path: Path) -> None:
    keep(tmp_path, "1", "run 1")
    service.status = 401
    found = deliver_kept(tmp_path, service.url)
    assert (found.sent, found.waiting) == (0, 1)
    with pytest.raises(UsageError, match="says 401") as caught:
        deliver(service.url, "run 1")
    assert "XEONPERF_TOKEN" in caught.value.remedy


def test_the_token_of_the_environment_is_said(service: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XEONPERF_TOKEN", "xp_1_2")
    assert deliver(service.url + "/", "run 1")
    assert not deliver(service.url, "run 1")
    assert service.tokens == ["Bearer xp_1_2"] * 2


def test_a_run_that_was_being_written_when_its_process_died_is_none(service: Fake, tmp_path: Path) -> None:
    (tmp_path / ".1.part").write_text("half")
    assert deliver_kept(tmp_path, service.url).sent == 0
    assert service.received == []


def test_what_the_service_says_is_an_error_of_its_kind(service: Fake) -> None:
    with pytest.raises(DataError, match="says 400: no"):
        deliver(service.url, "bad")
    service.status = 500
    with pytest.raises(InfrastructureError, match="says 500: no"):
        deliver(service.url, "run")


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://host", "file:///etc/passwd", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address of a service"):
        checked(url)
