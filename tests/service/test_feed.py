"""The Atom feed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pytest_xeonperf.alerts import AlertEvent, AlertState, EventKind, Triage
from pytest_xeonperf.judge.alerts import Findings
from pytest_xeonperf.judge.following import Followed

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

ATOM = "{http://www.w3.org/2005/Atom}"


def read(client: TestClient, path: str = "/feed.atom") -> ET.Element:
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/atom+xml"
    return ET.fromstring(answer.content)  # noqa: S314 - our own


def links(feed: ET.Element) -> list[str]:
    return [link.get("href") for link in feed.iter(f"{ATOM}link")]


def test_red_runs_are_told_the_newest_first_and_lead_to_their_pages(
    client: TestClient, recorded: Run, first: str
) -> None:
    feed = read(client)
    pages = [link for link in links(feed) if "run-" in link]
    assert pages == [f"http://service/run-{recorded.id}.html", f"http://service/run-{first}.html"]
    for page in pages:
        assert client.get(page).status_code == 200


def test_a_feed_is_known_by_its_address_and_by_that_of_people_where_it_is_said(make_client: Callable) -> None:
    assert read(make_client()).findtext(f"{ATOM}id") == "http://service/feed.atom"
    outside = read(make_client(public_url="https://perf.example/x"))
    assert outside.findtext(f"{ATOM}id") == "https://perf.example/x/feed.atom"
    assert all(link.startswith("https://perf.example/x/") for link in links(outside))


def test_a_branch_has_a_feed_of_its_own(client: TestClient) -> None:
    feed = read(client, "/feed.atom?branch=no%20where")
    assert feed.findtext(f"{ATOM}id") == "http://service/feed.atom?branch=no+where"
    assert feed.findall(f"{ATOM}entry") == []


def test_a_feed_that_is_as_it_was_is_not_sent_again(client: TestClient) -> None:
    tag = client.get("/feed.atom").headers["etag"]
    assert client.get("/feed.atom", headers={"If-None-Match": tag}).status_code == 304


def test_pages_that_are_served_name_the_feed(client: TestClient) -> None:
    assert 'type="application/atom+xml"' in client.get("/").text


def test_alerts_are_told_when_they_are_raised_over_and_open_again(
    client: TestClient, store: Store, alert: Alert
) -> None:
    changes = [
        (EventKind.RECOVERED, AlertState.FIXED, "2026-10-01T10:00:00+00:00"),
        (EventKind.REOPENED, AlertState.NEW, "2026-10-02T10:00:00+00:00"),
        (EventKind.MOVED, AlertState.NEW, "2026-10-03T10:00:00+00:00"),
    ]
    for kind, state, at in changes:
        event = AlertEvent(alert_id=alert.id, kind=kind, by="change points", at=at, changes=(), note="")
        now = Followed(alert=replace(alert, state=state), events=(event,))
        store.raise_alerts(alert.case, alert.comparability_class, lambda _, now=now: Findings(followed=(now,)))
    store.triage(alert.id, Triage(state=AlertState.ACKNOWLEDGED), by="Ann", at="2026-10-04T10:00:00+00:00")
    entries = [each for each in read(client).findall(f"{ATOM}entry") if "alert-" in links(each)[0]]
    assert [each.findtext(f"{ATOM}updated") for each in entries] == [
        "2026-10-02T10:00:00Z",
        "2026-10-01T10:00:00Z",
        "2026-09-30T10:00:00Z",
    ]
    titles = [each.findtext(f"{ATOM}title") for each in entries]
    words = ("▼ slower after all", "✓ the latency is back", "▼ slower")
    assert [title.partition(":")[0] for title in titles] == [*words]
    assert all(alert.case.label in title for title in titles)
    assert "the alert is acknowledged now" in entries[0].findtext(f"{ATOM}summary")
    assert len({each.findtext(f"{ATOM}id") for each in entries}) == 3
    assert client.get(entries[0].find(f"{ATOM}link").get("href")).status_code == 200


def test_a_branch_is_told_of_alerts_whose_first_slow_run_is_of_it(client: TestClient, alert: Alert) -> None:
    def told(branch: str) -> int:
        return sum(f"alert-{alert.id}" in link for link in links(read(client, f"/feed.atom?branch={branch}")))

    assert (told("main"), told("other")) == (1, 0)
