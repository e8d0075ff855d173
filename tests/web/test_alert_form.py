"""Deciding about an alert in a real browser, and another site that tries to."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.ci.alerts import watch_all
from pytest_xeonperf.exchange import native
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.tokens import Scope


@pytest.fixture
def history(tmp_path, slow_down):
    """A history with an alert, and a token that may decide about it: (path, id of the alert, text of the token)."""
    path = tmp_path / "xeonperf.db"
    run = native.loads((Path(__file__).parents[1] / "cli" / "run.json").read_text(encoding="utf-8"))
    with open_store(str(path)) as store:
        slow_down(store, run)
        (alert,) = watch_all(store, at="2026-09-30T10:00:00+00:00").raised
        return path, alert.id, store.create_token("ann", [Scope.TRIAGE])[1]


def knowing(browser, token):
    """A window that has been told a token."""
    return browser.new_context(http_credentials={"username": "ann", "password": token})


@pytest.fixture
def window(browser, history):
    """A window of somebody who has told the browser the token; an error on its console fails the test."""
    opened = knowing(browser, history[2])
    troubles: list[str] = []
    opened.on("console", lambda message: troubles.append(message.text))
    opened.on("weberror", lambda error: troubles.append(str(error.error)))
    yield opened.new_page()
    opened.close()
    assert troubles == []


@contextmanager
def another_site(html):
    """An address of another origin that answers with this page."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_):
            """Nothing: the tests' output is read by people."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_alert_is_found_from_the_first_page_and_decided_about(window, serving, history):
    path, alert_id, _ = history
    with serving(path) as url:
        window.goto(url)
        window.get_by_role("link", name="1 open alert").click()
        window.locator("tbody").get_by_role("link").click()
        window.get_by_role("link", name="Triage it here").click()
        window.get_by_label("state").select_option("expected")
        window.get_by_label("assignee").fill("ann <b>")
        window.get_by_label("note").fill("scales in FP32 <script>")
        window.get_by_role("button", name="Save").click()
        assert "Expected" in window.locator("h1").inner_text()
        assert "ann <b> has it" in window.locator(".sentence").inner_text()
        assert "state new → expected" in window.locator("section[aria-labelledby=history]").inner_text()
        window.set_viewport_size({"width": 390, "height": 800})
        assert window.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    with open_store(str(path), readonly=True) as store:
        assert store.alert(alert_id).state is AlertState.EXPECTED


def test_another_site_decides_nothing(browser, serving, history):
    path, alert_id, token = history
    with serving(path) as url, closing(knowing(browser, token)) as opened:
        window = opened.new_page()
        window.goto(f"{url}/alert-{alert_id}.html?triage")
        form = f'<form method="post" action="{url}/alert-{alert_id}.html"><input name="state" value="invalid"></form>'
        with another_site(f"<!doctype html><link rel=icon href=data:,>{form}") as elsewhere:
            window.goto(elsewhere)
            with window.expect_navigation(url=lambda there: "/alert-" in there) as answered:
                window.evaluate("document.forms[0].submit()")
            assert answered.value.request.method == "POST"
            assert answered.value.status == 403
    with open_store(str(path), readonly=True) as store:
        assert store.alert(alert_id).state is AlertState.NEW
