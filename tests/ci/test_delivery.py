"""Runs on their way to a service: in order, once, and none lost while it is away."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.ci.delivery import Delivery, checked, deliver, deliver_kept, keep, outbox
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
        self.body = b""
        self.missing = 0
        self.moved_to = ""
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
        text = self.server.body or json.dumps(answer).encode()
        self.send_header("Content-Length", str(len(text) + self.server.missing))
        if self.server.moved_to:
            self.send_header("Location", self.server.moved_to)
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
    assert deliver_kept(tmp_path, service.url) == Delivery(sent=3, waiting=0)
    assert service.received == ["run 0198-z", "run 0199-a", "run 0199-b"]
    assert list(tmp_path.glob("*.json")) == []
    assert (tmp_path / ".gitignore").read_text() == "*\n"
    assert deliver_kept(tmp_path, service.url) == Delivery(sent=0, waiting=0)
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
    (told,) = found.refused
    assert told == f"the service says 400: no (run 1, put aside as {tmp_path / '1.refused'})"
    assert not list(tmp_path.glob("*.json"))


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


@pytest.mark.parametrize("status", [404, 405, 408, 429, 500])
def test_what_may_be_better_another_time_puts_no_run_aside(service: Fake, tmp_path: Path, status: int) -> None:
    keep(tmp_path, "1", "run 1")
    service.status = status
    assert deliver_kept(tmp_path, service.url).waiting == 1
    service.status = 0
    assert deliver_kept(tmp_path, service.url).sent == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": "no"}', b'{"error": {"what": 3}}', b"\xff"])
def test_a_400_of_something_else_puts_no_run_aside(service: Fake, tmp_path: Path, body: bytes) -> None:
    keep(tmp_path, "1", "run 1")
    service.status, service.body = 400, body
    found = deliver_kept(tmp_path, service.url)
    assert (found.waiting, found.refused) == (1, ())
    assert "400" in found.problem


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"null"])
def test_an_answer_of_something_else_is_none(service: Fake, body: bytes) -> None:
    service.status, service.body = 201, body
    with pytest.raises(InfrastructureError, match="no answer of a service"):
        deliver(service.url, "run 1")


def test_an_answer_that_is_cut_off_is_none(service: Fake) -> None:
    service.missing = 5
    with pytest.raises(InfrastructureError, match="no answer of a service"):
        deliver(service.url, "run 1")


def test_a_token_goes_to_no_other_host(service: Fake) -> None:
    service.status, service.moved_to = 302, "http://elsewhere.example/"
    with pytest.raises(UsageError, match=r"has moved to http://elsewhere\.example/"):
        deliver(service.url, "run 1")


@pytest.mark.parametrize("token", ["xp_1_2\n", "  xp_1_2"])
def test_blanks_around_a_token_are_none_of_it(service: Fake, monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("XEONPERF_TOKEN", token)
    assert deliver(service.url, "run 1")
    assert service.tokens == ["Bearer xp_1_2"]


def test_what_is_no_token_is_not_shown(service: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XEONPERF_TOKEN", "my\nsecret")
    with pytest.raises(UsageError, match="holds no token") as caught:
        deliver(service.url, "run 1")
    assert "secret" not in str(caught.value)


def test_each_service_has_a_box_of_its_own(tmp_path: Path) -> None:
    boxes = {outbox(tmp_path, url) for url in ("http://a", "http://a/", "http://b")}
    assert len(boxes) == 2


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


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "ftp://host",
        "file:///etc/passwd",
        "https://",
        "http://host:abc",
        "http://[::1",
        "http://host/a b",
        "http://user:secret@host",
        "http://host/?token=secret",
        "http://host/#part",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="no address of a service") as caught:
        checked(url)
    assert "user:secret" not in str(caught.value)
