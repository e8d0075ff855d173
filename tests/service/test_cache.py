"""Pages that are kept until the history says something new."""

from __future__ import annotations

import gzip
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.alerts import AlertState, Triage
from pytest_xeonperf.ci.alerts import watch_all
from pytest_xeonperf.records import RunState, Unknown
from pytest_xeonperf.service import pages
from pytest_xeonperf.service.cache import Made, Pages
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from httpx2 import Response
    from starlette.testclient import TestClient

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

NEWER = "01999999-0000-7000-8000-000000000000"


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The titles of the pages that were rendered, as they are."""
    titles: list[str] = []
    encoded = pages.encoded

    def noted(page: pages.Page, *, nonce: str) -> bytes:
        titles.append(page.title)
        return encoded(page, nonce=nonce)

    monkeypatch.setattr(pages, "encoded", noted)
    return titles


def paths(store: Store) -> list[str]:
    return [
        "/",
        f"/case-{store.cases()[0].id}.html",
        f"/run-{store.runs()[0].id}.html",
        "/machines.html",
        "/alerts.html",
    ]


def test_a_page_is_rendered_once_as_long_as_nothing_is_new(
    client: TestClient, store: Store, rendered: list[str]
) -> None:
    for path in paths(store):
        first, second = client.get(path), client.get(path)
        assert first.content == second.content
        assert first.headers["content-security-policy"] == second.headers["content-security-policy"]
    assert len(rendered) == 5


def test_who_has_the_page_is_told_so_with_the_policy_that_fits_it(client: TestClient, store: Store) -> None:
    for path in paths(store):
        page = client.get(path)
        again = client.get(path, headers={"If-None-Match": f'"other", {page.headers["etag"].removeprefix("W/")}'})
        assert (again.status_code, again.content) == (304, b"")
        for name in ("etag", "content-security-policy", "cache-control"):
            assert again.headers[name] == page.headers[name]


def test_every_kind_of_news_makes_another_page(client: TestClient, store: Store, recorded: Run) -> None:
    begun = replace(
        recorded,
        id=NEWER,
        started_at="2026-12-01T10:00:00+00:00",
        state=RunState.RUNNING,
        finished_at=Unknown(reason="still running"),
        results=(),
    )
    news = [
        lambda: store.begin_run(begun),
        lambda: store.add_results(NEWER, recorded.results[:1]),
        lambda: store.add_results(NEWER, recorded.results[1:]),
        lambda: store.set_machine(NEWER, replace(begun.machine, threads=begun.machine.threads + 1)),
        lambda: store.set_limits(NEWER, Unknown(reason="not measured")),
        lambda: store.finish_run(NEWER, RunState.INTERRUPTED, "2026-12-01T11:00:00+00:00"),
        lambda: store.resume_run(NEWER),
        lambda: store.finish_run(NEWER, RunState.FINISHED, "2026-12-01T12:00:00+00:00"),
        lambda: store.add_run(replace(recorded, id="01000000-0000-7000-8000-000000000000", started_at="2026-01-01")),
    ]
    tag = client.get("/").headers["etag"]
    for each in news:
        each()
        page = client.get("/", headers={"If-None-Match": tag})
        assert page.status_code == 200
        tag = page.headers["etag"]
        assert client.get("/", headers={"If-None-Match": tag}).status_code == 304


def test_raising_and_triaging_an_alert_makes_other_pages(client: TestClient, store: Store, alert: Alert) -> None:
    case, own, lists = f"/case-{alert.case.id}.html", f"/alert-{alert.id}.html", "/alerts.html"
    assert "Open alerts" in client.get(case).text
    tags = {path: client.get(path).headers["etag"] for path in ("/", case, own, lists)}
    store.triage(alert.id, Triage(state=AlertState.INVALID), by="ann", at="2026-10-01T10:00:00+00:00")
    for path, tag in tags.items():
        page = client.get(path, headers={"If-None-Match": tag})
        assert page.status_code == 200, path
        assert client.get(path, headers={"If-None-Match": page.headers["etag"]}).status_code == 304
    assert "Open alerts" not in client.get(case).text


def test_an_alert_that_is_raised_is_there_at_once(
    client: TestClient, store: Store, recorded: Run, slow_down: Callable
) -> None:
    slow_down(store, recorded)
    tag = client.get("/").headers["etag"]
    watch_all(store, at="2026-09-30T10:00:00+00:00")
    page = client.get("/", headers={"If-None-Match": tag})
    assert (page.status_code, "1 open alert" in page.text) == (200, True)


def test_a_page_with_a_form_is_neither_kept_nor_taken_for_the_one_without(
    client: TestClient, store: Store, alert: Alert
) -> None:
    address = f"/alert-{alert.id}.html"
    plain = client.get(address)
    people = [("anybody", store.create_token(name, [Scope.READ, Scope.TRIAGE])[1]) for name in ("ann", "bob")]
    forms = [client.get(f"{address}?triage", auth=auth) for auth in (*people, people[0])]
    for form in forms:
        assert form.headers["cache-control"] == "no-store"
        assert "etag" not in form.headers
        asked = {"If-None-Match": plain.headers["etag"]}
        assert client.get(f"{address}?triage", auth=people[0], headers=asked).status_code == 200
    proofs = [re.findall(r'name="csrf" value="(\w+)"', form.text) for form in forms]
    assert proofs[0] == proofs[2] != proofs[1]
    assert client.get(address).content == plain.content
    assert client.get(f"{address}?triage").status_code == 401


def test_what_is_for_readers_with_a_token_is_kept_by_no_one_else(
    make_client: Callable[..., TestClient], bearing: Callable[..., dict[str, str]], store: Store
) -> None:
    closed = make_client(open_to_read=False)
    header = bearing(Scope.READ)
    for path in paths(store):
        page = closed.get(path, headers=header)
        assert page.headers["cache-control"] == "private, no-cache"
        assert page.headers["vary"] == "Accept-Encoding, Authorization"
        for without in ({}, {"If-None-Match": page.headers["etag"]}):
            assert closed.get(path, headers=without).status_code == 401
        again = closed.get(path, headers={**header, "If-None-Match": page.headers["etag"]})
        assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-cache")
    assert make_client().get("/").headers["cache-control"] == "no-cache"


def test_many_who_ask_at_once_have_it_rendered_once(client: TestClient, rendered: list[str]) -> None:
    with client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _number: client.get("/").content, range(16)))
    assert len(set(answers)) == 1
    assert len(rendered) == 1


def test_readers_see_a_run_as_soon_as_it_was_taken(client: TestClient, store: Store, recorded: Run) -> None:
    def bring(number: int) -> bool:
        run_id = f"0199999{number}-0000-7000-8000-000000000000"
        store.add_run(replace(recorded, id=run_id, started_at=f"2026-12-0{number}T10:00:00+00:00"))
        return run_id in client.get("/").text

    with client, ThreadPoolExecutor(4) as pool:
        assert all(pool.map(bring, range(1, 9)))


def test_pages_that_were_not_asked_for_longest_make_room() -> None:
    body = b"x" * 40
    kept, made = Pages(most_bytes=5 * len(gzip.compress(body)) // 2), []

    def get(path: str) -> None:
        kept.get(path, "state", lambda _before: (made.append(path), Made(body=body, policy=""))[1])

    for path in ("/a", "/b", "/a", "/c", "/a", "/b"):
        get(path)
    assert made == ["/a", "/b", "/c", "/b"]


def test_a_page_that_fails_is_not_kept() -> None:
    kept = Pages()
    with pytest.raises(ZeroDivisionError):
        kept.get("/", "state", lambda _before: Made(body=b"", policy=str(1 // 0)))
    assert kept.get("/", "state", lambda _before: Made(body=b"page", policy="policy")).body == b"page"


def test_who_renders_a_page_again_is_given_the_one_before() -> None:
    kept, given = Pages(), []
    for state in ("first", "second", "second"):
        kept.get("/", state, lambda before: (given.append(before), Made(body=b"page", policy=""))[1])
    assert [before and before.state for before in given] == [None, "first"]


@pytest.mark.parametrize(
    ("takes", "encoding"),
    [("gzip", "gzip"), ("br, GZIP;q=0.5", "gzip"), ("gzip;q=0", ""), ("gzip; q=0.00, br", ""), ("br", ""), ("", "")],
)
def test_a_page_is_sent_compressed_to_whoever_takes_it_so(client: TestClient, takes: str, encoding: str) -> None:
    page = client.get("/", headers={"Accept-Encoding": takes})
    assert page.headers.get("content-encoding", "") == encoding
    assert "Accept-Encoding" in page.headers["vary"]
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    assert plain.text == page.text
    assert plain.headers["etag"] == page.headers["etag"]
    assert (int(page.headers["content-length"]) < len(plain.content)) is bool(encoding)


def test_the_page_of_a_case_goes_on_and_is_the_one_made_from_nothing(
    client: TestClient, make_client: Callable[..., TestClient], store: Store, recorded: Run, slow_down: Callable
) -> None:
    """Runs at the end and one that is late, a result of a run that goes on, alerts that come and go."""
    case = recorded.results[0].case
    path = f"/case-{case.id}.html"
    later = replace(recorded, id=NEWER, started_at="2026-12-01T10:00:00+00:00", state=RunState.RUNNING, results=())

    def add_late(number: int, *, threads: int) -> None:
        elsewhere = replace(recorded.machine, threads=threads)
        run_id = f"0100000{number}-0000-7000-8000-000000000000"
        store.add_run(replace(recorded, id=run_id, started_at="2026-01-01", machine=elsewhere))

    def decide() -> None:
        alert = store.alerts()[0]
        store.triage(alert.id, Triage(state=AlertState.INVALID), by="ann", at="2026-10-01T10:00:00+00:00")

    steps = [
        lambda: slow_down(store, recorded),
        lambda: watch_all(store, at="2026-09-30T10:00:00+00:00"),
        lambda: store.begin_run(later),
        lambda: store.add_results(NEWER, recorded.results),
        decide,
        lambda: add_late(1, threads=recorded.machine.threads),
        lambda: add_late(2, threads=recorded.machine.threads + 1),
        lambda: store.finish_run(NEWER, RunState.FINISHED, "2026-12-01T12:00:00+00:00"),
    ]
    for step in (lambda: None, *steps):
        step()
        assert without_nonce(client.get(path)) == without_nonce(make_client().get(path))


def test_only_what_is_new_is_read_for_a_page_that_goes_on_also_where_a_run_was_overtaken(
    client: TestClient, store: Store, recorded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/case-{recorded.results[0].case.id}.html"
    client.get(path)
    monkeypatch.setattr(pages, "read_trends", None)  # would be called for a page from nothing
    store.add_run(replace(recorded, id=NEWER, started_at="2026-12-01T10:00:00+00:00"))
    assert f"run-{NEWER}.html" in client.get(path).text
    elsewhere = replace(recorded.machine, threads=recorded.machine.threads + 1)
    overtaken = f"{NEWER[:-1]}1"
    store.add_run(replace(recorded, id=overtaken, started_at="2026-11-30T10:00:00+00:00", machine=elsewhere))
    assert f"run-{overtaken}.html" in client.get(path).text


def without_nonce(page: Response) -> str:
    """A page without what is drawn anew for each."""
    assert page.status_code == 200
    return re.sub(r'nonce="[^"]*"', "", page.text)
