"""The report's pages over live data."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.service.app import Service, application
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def pages(store: Store) -> list[str]:
    cases = [f"/case-{case.id}.html" for case in store.cases()]
    return [
        "/",
        "/index.html",
        *(f"/run-{summary.id}.html" for summary in store.runs()),
        "/compare.html",
        "/machines.html",
        *cases,
    ]


def test_every_page_is_served_and_every_link_on_it_leads_to_one(client: TestClient, store: Store) -> None:
    for path in pages(store):
        page = client.get(path)
        assert page.status_code == 200, path
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        for target in set(re.findall(r'href="([\w.-]+\.html)', page.text)):
            assert client.get(f"/{target}").status_code == 200, target


def test_only_styles_and_scripts_with_the_nonce_of_this_answer_count(client: TestClient, store: Store) -> None:
    nonces = set()
    for path in pages(store):
        page = client.get(path)
        policy = page.headers["content-security-policy"]
        (nonce,) = set(re.findall(r"'nonce-([\w-]+)'", policy))
        nonces.add(nonce)
        assert "unsafe" not in policy
        assert "unsafe" not in page.text.partition("<body>")[0]
        for tag in re.findall(r"<(?:script|style)[^>]*>", page.text):
            assert f'nonce="{nonce}"' in tag or 'type="application/json"' in tag
        assert " style=" not in page.text
    assert len(nonces) == len(pages(store))


def test_the_trend_of_a_served_case_leads_to_the_page_that_compares(client: TestClient, store: Store) -> None:
    (case, *_) = store.cases()
    assert '"compare":"compare.html"' in client.get(f"/case-{case.id}.html").text


def test_a_run_that_was_just_brought_is_on_the_first_page(client: TestClient, store: Store, recorded: Run) -> None:
    store.add_run(replace(recorded, id="01999999-0000-7000-8000-000000000000", started_at="2026-12-01T10:00:00+00:00"))
    assert "run-01999999-0000-7000-8000-000000000000.html" in client.get("/").text


@pytest.mark.parametrize("path", ["/run-nothing.html", "/case-nothing.html", "/compare.html?head=nothing"])
def test_what_is_not_there_is_told_so(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "nothing" in answer.json()["error"]["what"]


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/run-nothing.html", 404, "Not found"),
        ("/case-nothing.html", 404, "Not found"),
        ("/compare.html?head=nothing", 404, "Not found"),
        ("/nowhere", 404, "Not found"),
        ("/badge.svg?brnch=main", 400, "Bad request"),
    ],
)
def test_a_browser_is_told_so_by_a_page(client: TestClient, path: str, status: int, word: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == status
    assert f"{word}</h1>" in answer.text
    assert "'nonce-" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_a_browser_without_a_token_is_asked_for_one_and_told_why(make_client: Callable) -> None:
    answer = make_client(open_to_read=False).get("/", headers=BROWSER)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert "A token is needed." in answer.text


def test_a_defect_shows_a_browser_no_more_than_a_program(
    make_client: Callable, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    def broken() -> None:
        raise RuntimeError("the secret place")

    monkeypatch.setattr(store, "state", broken)
    client = make_client()
    client._transport.raise_server_exceptions = False
    answer = client.get("/", headers=BROWSER)
    assert answer.status_code == 500
    assert "A defect of the service." in answer.text
    assert "secret place" not in answer.text


def test_programs_and_the_api_are_told_so_in_json(client: TestClient) -> None:
    assert client.get("/run-nothing.html").json()["error"]["what"]
    assert client.get("/api/v1/runs/nothing", headers=BROWSER).json()["error"]["what"]


def test_an_empty_history_says_how_runs_get_there(tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    with open_store(str(tmp_path / "empty.db")) as store:
        client = TestClient(application(Service(store=store, open_to_read=True)))
        answer = client.get("/")
    assert answer.status_code == 404
    assert "xeonperf push --to" in answer.json()["error"]["what"]


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/runs", "/nowhere"])
def test_every_answer_has_safe_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_first_page_and_that_of_a_run_lead_to_comparisons(
    client: TestClient, store: Store, recorded: Run, first: str
) -> None:
    href = f'href="compare.html?base={first}&amp;head={recorded.id}"'
    for path in ("/", f"/run-{recorded.id}.html"):
        page = client.get(path)
        assert page.text.count(href) == 2, path
        assert page.text.count('<form class="choose" method="get" action="compare.html">') == 1
        assert "form-action 'self'" in page.headers["content-security-policy"]
        assert re.findall(r'<option value="([^"]+)" selected>', page.text) == [first, recorded.id]
    assert "No earlier run on its class of machine" in client.get(f"/run-{first}.html").text
    for path in ("/machines.html", "/alerts.html"):
        assert "form-action 'none'" in client.get(path).headers["content-security-policy"]


def test_a_comparison_links_its_runs_and_cases_and_offers_another(
    client: TestClient, store: Store, recorded: Run, first: str
) -> None:
    page = client.get(f"/compare.html?base={first}&head={recorded.id}")
    for target in (f"run-{first}.html", f"run-{recorded.id}.html", "index.html"):
        assert f'href="{target}"' in page.text
    (case, *_) = {each.id for each in store.cases()} & set(re.findall(r'href="case-(\w+)\.html"', page.text))
    assert f'<tr id="case-{case}">' in page.text
    assert re.findall(r'<option value="([^"]+)" selected>', page.text) == [first, recorded.id]
    assert "form-action 'self'" in page.headers["content-security-policy"]
    swapped = client.get(f"/compare.html?base={recorded.id}&head={first}")
    assert swapped.status_code == 200


def test_a_run_beyond_those_that_are_listed_is_offered_too(
    client: TestClient, recorded: Run, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_xeonperf.service.pages.RUNS_LISTED", 1)
    page = client.get(f"/compare.html?base={first}&head={recorded.id}").text
    assert f'<option value="{first}" selected>run {first}</option>' in page


def test_every_page_leads_to_the_others_and_to_the_one_that_compares(client: TestClient, store: Store) -> None:
    for path in pages(store):
        navigation = client.get(path).text.partition('aria-label="Pages"')[2].partition("</nav>")[0]
        assert re.findall(r'href="([\w.]+)"', navigation) == [
            "index.html",
            "alerts.html",
            "machines.html",
            "compare.html",
        ]
