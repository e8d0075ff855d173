"""``xeonperf serve`` and ``xeonperf push``: real processes, and a run that goes from one history to another."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import queue
import re
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import httpx2 as httpx
import pytest
from sqlalchemy import text

from pytest_xeonperf.cli import serve
from pytest_xeonperf.cli.serve import _is_loopback
from pytest_xeonperf.service import budgets
from pytest_xeonperf.store import maintenance
from pytest_xeonperf.store.engine import connect, open_store
from pytest_xeonperf.store.location import locate
from pytest_xeonperf.store.repository import WRITES
from pytest_xeonperf.store.schema import REVISION
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_xeonperf.records import Run


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory, serving: Callable) -> Iterator[tuple[str, Path]]:
    """A service over an empty history elsewhere, and that history."""
    shared = tmp_path_factory.mktemp("shared") / "shared.db"
    with open_store(str(shared)):
        pass
    with serving(shared) as url:
        yield url, shared


def test_a_run_is_pushed_once_and_can_be_looked_at(
    served: tuple[str, Path],
    command_line: Callable,
    history: Path,
    recorded_run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, shared = served
    refused = command_line("push", "--to", url)
    assert refused.exit_code == 4
    assert "the service says 401" in refused.err
    assert "set XEONPERF_TOKEN" in refused.err
    with open_store(str(shared)) as store:
        monkeypatch.setenv("XEONPERF_TOKEN", store.create_token("nightly", [Scope.INGEST])[1])
    assert "added" in command_line("push", "latest", "--to", url + "/").err
    assert "was there already" in command_line("push", "--to", url).err
    with open_store(str(shared)) as store:
        assert store.run(recorded_run.id) == recorded_run
    assert re.search(r"<h1[^>]*>.*Failed", httpx.get(url).text)
    assert httpx.get(f"{url}/run-nothing.html").status_code == 404


@pytest.mark.parametrize(
    ("url", "exit_code", "complaint"),
    [("nonsense", 4, "this is no address of a service"), ("http://127.0.0.1:9", 3, "no answer of a service")],
)
def test_an_address_that_is_none_is_told(
    command_line: Callable, history: Path, url: str, exit_code: int, complaint: str
) -> None:
    said = command_line("push", "--to", url)
    assert said.exit_code == exit_code
    assert complaint in said.err


def test_without_its_packages_the_command_says_what_to_install(
    command_line: Callable, history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    said = command_line("serve")
    assert said.exit_code == 3
    assert "pip install 'pytest-xeonperf[service]'" in said.err


def test_a_port_in_use_ends_the_command(history: Path) -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        port = one.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "pytest_xeonperf", "serve", "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={name: value for name, value in os.environ.items() if name != "XEONPERF_DB"},
        )
    assert done.returncode == 3
    assert "nothing can listen there (Address already in use)" in done.stderr


class Listener(ThreadingHTTPServer):
    """Takes one signed request."""

    def __init__(self) -> None:
        self.received: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.put((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A program of the user's that listens for red runs."""
    with Listener() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_red_run_that_is_pushed_is_told_to_whoever_listens(
    *,
    tmp_path: Path,
    serving: Callable,
    listener: Listener,
    command_line: Callable,
    history: Path,
    recorded_run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret, shared = tmp_path / "secret", tmp_path / "shared.db"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    with open_store(str(shared)) as store:
        monkeypatch.setenv("XEONPERF_TOKEN", store.create_token("nightly", [Scope.INGEST])[1])
    options = [f"--web-hook=http://127.0.0.1:{listener.server_address[1]}/hook", f"--web-hook-secret-file={secret}"]
    options += [f"--outbox={tmp_path / 'outbox'}", "--public-url=https://perf.example/"]
    with serving(shared, options=options) as url:
        assert "added" in command_line("push", "--to", url).err
        headers, body = listener.received.get(timeout=60)
    signed = headers["X-Xeonperf-Timestamp"].encode() + b"." + body
    expected = hmac.new(b"0123456789abcdef0123456789abcdef", signed, hashlib.sha256).hexdigest()
    assert headers["X-Xeonperf-Signature-256"] == f"sha256={expected}"
    assert json.loads(body)["link"] == f"https://perf.example/run-{recorded_run.id}.html"


def test_a_pushed_run_with_which_a_level_has_risen_is_told_as_an_alert(
    *,
    tmp_path: Path,
    serving: Callable,
    listener: Listener,
    command_line: Callable,
    history: Path,
    recorded_run: Run,
    slow_down: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret, shared = tmp_path / "secret", tmp_path / "shared.db"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    with open_store(str(shared)) as there, open_store(str(history)) as here:
        slow_down(there, recorded_run, runs=27)
        newest = slow_down(here, recorded_run)[-1].id
        monkeypatch.setenv("XEONPERF_TOKEN", there.create_token("nightly", [Scope.INGEST])[1])
    options = [f"--web-hook=http://127.0.0.1:{listener.server_address[1]}/hook", f"--web-hook-secret-file={secret}"]
    with serving(shared, options=[*options, f"--outbox={tmp_path / 'outbox'}"]) as url:
        assert "added" in command_line("push", newest, "--to", url).err
        headers, body = listener.received.get(timeout=60)
    assert headers["X-Xeonperf-Event"] == "alerts.changed"
    (raised,) = json.loads(body)["raised"]
    assert raised["latency_ratio"] == pytest.approx(1.2, abs=0.01)
    assert raised["link"].startswith(url)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--web-hook", "https://hooks.example"], "a web hook needs a secret to sign with"),
        (["--web-hook", "https://hooks.example", "--web-hook-secret-file", "nowhere"], "cannot be read"),
        (["--mail-to", "team@perf.example"], "mail needs a server"),
        (["--mail-to", "team", "--smtp", "localhost"], "no address of mail"),
        (["--public-url", "perf.example"], "this is no address of a service"),
        (["--reads-per-minute", "-1"], "-1"),
    ],
)
def test_options_that_cannot_be_meant_end_the_command(
    command_line: Callable, history: Path, options: list[str], complaint: str
) -> None:
    said = command_line("serve", "--port", "0", *options)
    assert said.exit_code == 4
    assert complaint in said.err


def test_limits_of_the_command_are_those_of_the_service() -> None:
    defaults = {option.name: option.default for option in serve.command.params}
    limits = [defaults[f"{name}_per_minute"] for name in ("reads", "ingests", "failures")]
    assert limits == [budgets.READS, budgets.INGESTS, budgets.FAILURES]


def test_a_history_of_a_newer_version_is_not_served(database: str) -> None:
    with open_store(database):
        pass
    _set_revision(database, "9999")
    done = _serve(database)
    assert done.returncode == 4
    assert "at revision 9999" in done.stderr
    assert "pip install --upgrade pytest-xeonperf" in done.stderr


def test_an_older_file_is_migrated_before_it_is_served(
    history: Path, recorded_run: Run, serving: Callable, taken_down: Callable
) -> None:
    with taken_down(str(history), "0004"):
        pass
    with serving(history) as url:
        assert [run["id"] for run in httpx.get(f"{url}/api/v1/runs").json()["runs"]] == [recorded_run.id]
    assert maintenance.revision_of(str(history)) == REVISION
    assert maintenance.revision_of(f"{history}.bak1") == "0004"


def test_an_older_server_is_not_served_before_somebody_upgrades_it(migrated_server: str, taken_down: Callable) -> None:
    with taken_down(migrated_server, "0004"):
        pass
    done = _serve(migrated_server)
    assert done.returncode == 4
    assert "of an older schema" in done.stderr
    assert "xeonperf db upgrade --db postgresql" in done.stderr
    assert maintenance.revision_of(migrated_server) == "0004"


@pytest.fixture
def migrated_server(postgresql: str) -> str:
    """A history without runs on a PostgreSQL server, this test's own."""
    with open_store(postgresql):
        return postgresql


def _serve(database: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a service that cannot start."""
    words = [sys.executable, "-m", "pytest_xeonperf", "serve", "--port", "0", "--db", database]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)


def _set_revision(database: str, revision: str) -> None:
    engine = connect(locate(database))
    with engine.execution_options(**{WRITES: True}).begin() as connection:
        connection.execute(text("UPDATE xeonperf_revision SET version_num = :new"), {"new": revision})
    engine.dispose()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_s_own_addresses_may_be_read_without_a_token(host: str) -> None:
    assert _is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "perf.example", "localhost.example"])  # noqa: S104 - no socket
def test_other_addresses_may_not(host: str) -> None:
    assert not _is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_answer_on_a_kept_connection_is_sent_without_delay(host: str) -> None:
    with serve._bound(host, 0) as listening, socket.create_connection(listening.getsockname()[:2]):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
