"""The Atom feed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.records import Run

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
