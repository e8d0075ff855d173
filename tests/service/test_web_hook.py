"""Signed requests to a program of the user's."""

from __future__ import annotations

import hashlib
import hmac
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.errors import InfrastructureError, UsageError
from pytest_xeonperf.service.outbox import Notice
from pytest_xeonperf.service.web_hook import WebHook, read_secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = b"0123456789abcdef"
NOTICE = Notice(id="run-red-1", event="run.red", subject="s", text="t", document={"event": "run.red", "run": "ü"})


class Listener(ThreadingHTTPServer):
    """Whoever listens for notices: keeps them, and answers as a test wants."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?key=of+theirs"


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(({"path": self.path, **self.headers}, body))
        self.send_response(self.server.status)
        if self.server.status in {301, 302, 307, 308}:
            self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.received.append(({}, b""))
        self.send_error(405)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A listener in a thread."""
    with Listener() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_notice_is_a_request_whose_signature_anybody_with_the_secret_can_check(listener: Listener) -> None:
    WebHook(listener.url, SECRET, clock=lambda: 1_800_000_000.5).send(NOTICE)
    ((headers, body),) = listener.received
    assert json.loads(body) == NOTICE.document
    assert headers["path"] == "/hook?key=of+theirs"
    assert headers["X-Xeonperf-Event"] == "run.red"
    assert headers["X-Xeonperf-Delivery"] == "run-red-1"
    timestamp = headers["X-Xeonperf-Timestamp"]
    assert timestamp == "1800000000"
    expected = hmac.new(SECRET, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Xeonperf-Signature-256"] == f"sha256={expected}"


def test_at_another_time_or_with_another_secret_it_is_another_signature(listener: Listener) -> None:
    for secret, now_s in ((SECRET, 1.0), (SECRET, 2.0), (SECRET[::-1], 1.0)):
        WebHook(listener.url, secret, clock=lambda now_s=now_s: now_s).send(NOTICE)
    assert len({headers["X-Xeonperf-Signature-256"] for headers, _ in listener.received}) == 3


@pytest.mark.parametrize("status", [400, 410, 500, 503])
def test_a_status_of_failure_is_one(listener: Listener, status: int) -> None:
    listener.status = status
    with pytest.raises(InfrastructureError, match=f"it says {status}"):
        WebHook(listener.url, SECRET).send(NOTICE)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_followed_elsewhere(listener: Listener, status: int) -> None:
    listener.status = status
    with pytest.raises(InfrastructureError, match=f"it says {status}"):
        WebHook(listener.url, SECRET).send(NOTICE)
    assert len(listener.received) == 1


def test_nobody_there_is_a_failure() -> None:
    with pytest.raises(InfrastructureError, match="no answer"):
        WebHook("http://127.0.0.1:9/", SECRET).send(NOTICE)


def test_what_the_log_shows_and_the_folder_s_name_hold_no_key() -> None:
    hook = WebHook("https://hooks.example/services/T0/secret-key?key=secret-key", SECRET)
    assert hook.shown == "web hook at hooks.example"
    assert "secret" not in hook.name
    assert hook.name != WebHook("https://hooks.example/", SECRET).name


@pytest.mark.parametrize(
    "url",
    ["", "hooks.example", "ftp://hooks.example", "https://", "https://a:b@hooks.example", "https://h/ x", "https://h/#f",
     "https://h:0/", "https://h:99999/", "https://h\u00e4/", "https://h/\r\nX: y"],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(UsageError, match="this is no address of a web hook"):
        WebHook(url, SECRET)


def test_a_secret_is_what_stands_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(SECRET + b"\n")
    assert read_secret(path) == SECRET


def test_a_secret_that_is_missing_or_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_secret(tmp_path / "nothing")
    (tmp_path / "short").write_text("hunter2\n")
    with pytest.raises(UsageError, match="at least 16 bytes"):
        read_secret(tmp_path / "short")
