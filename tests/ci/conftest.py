"""A repository of a test's own, git without anybody's configuration, and something that takes runs."""

from __future__ import annotations

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def own_git(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nobody's configuration, and no CI around us."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path_factory.getbasetemp().parent))


@pytest.fixture
def repository(own_git: None, tmp_path: Path, git: Callable[..., str]) -> Path:
    """One commit on main."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "model.py").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "Make attention faster\n\nBy SDPA.")
    return tmp_path


_BLOCK = 1 << 19


class Fake(ThreadingHTTPServer):
    """Something that takes runs, as the service does, or answers as a test wants."""

    def __init__(self) -> None:
        self.received: list[str] = []
        self.asked: list[str] = []
        self.says: dict[str, int] = {}
        self.pause_s = 0.0
        self.reads = True
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
        body = self._read(int(self.headers["Content-Length"]) if self.server.reads else 1).decode()
        self.server.asked.append(body)
        self.server.tokens.append(self.headers["Authorization"])
        status = 400 if "bad" in body else self.server.says.get(body) or self.server.status or 201
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

    def _read(self, size: int) -> bytes:
        """A body, with a pause after each of its blocks."""
        found = b""
        while len(found) < size:
            found += self.rfile.read(min(_BLOCK, size - len(found)))
            time.sleep(self.server.pause_s)
        return found

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
