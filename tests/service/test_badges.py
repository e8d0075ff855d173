"""Pictures of verdicts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pytest_xeonperf.records import Outcome
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


def title(text: str) -> str:
    return ET.fromstring(text).get("aria-label")  # noqa: S314 - our own


def case_id(store: Store, variant: str) -> str:
    return next(case.id for case in store.cases() if case.variant == variant)


def test_the_whole_is_what_the_newest_run_came_to(client: TestClient) -> None:
    answer = client.get("/badge.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert title(answer.text) == "xeonperf: ✗ 1 of 3 cases failed"


def test_a_case_is_what_it_came_to_last(client: TestClient, store: Store) -> None:
    answer = client.get(f"/badge/{case_id(store, 'compiled_bf16')}.svg")
    assert title(answer.text) == "sam-vit-b encode compiled_bf16: ✓ 3.50x pass"


def test_another_machine_s_older_run_is_not_the_last(client: TestClient, store: Store, recorded: Run) -> None:
    slower = [replace(result, verdict=replace(result.verdict, outcome=Outcome.CRASHED)) for result in recorded.results]
    elsewhere = replace(
        recorded,
        id="01999999-0000-7000-8000-000000000000",
        started_at="2020-08-01T10:00:00+00:00",
        machine=replace(recorded.machine, threads=1),
        results=tuple(slower),
    )
    store.add_run(elsewhere)
    assert title(client.get(f"/badge/{case_id(store, 'compiled_bf16')}.svg").text).endswith("✓ 3.50x pass")


def test_a_branch_can_be_asked_for(client: TestClient, store: Store) -> None:
    for path in ("/badge.svg", f"/badge/{case_id(store, 'compiled_bf16')}.svg"):
        assert client.get(f"{path}?branch=main").status_code == 200
        assert client.get(f"{path}?branch=nowhere").status_code == 404


def test_what_is_not_known_is_a_picture_that_says_so(client: TestClient) -> None:
    answer = client.get("/badge/%3Cscript%3E.svg")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "image/svg+xml"
    assert title(answer.text) == "<script>: ? unknown"


def test_a_picture_that_is_as_it_was_is_not_sent_again(client: TestClient, store: Store, recorded: Run) -> None:
    first = client.get("/badge.svg")
    assert first.headers["cache-control"] == "no-cache"
    known = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    again = client.get("/badge.svg", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    store.add_run(
        replace(
            recorded,
            id="01999999-0000-7000-8000-000000000000",
            started_at="2026-12-01T10:00:00+00:00",
            results=recorded.results[:1],
        )
    )
    assert client.get("/badge.svg", headers=known).status_code == 200


def test_only_what_everybody_may_read_is_shown_on_other_sites(make_client: Callable, bearing: Callable) -> None:
    assert make_client().get("/badge.svg").headers["cross-origin-resource-policy"] == "cross-origin"
    assert make_client().get("/").headers["cross-origin-resource-policy"] == "same-origin"
    closed = make_client(open_to_read=False).get("/badge.svg", headers=bearing(Scope.READ))
    assert closed.status_code == 200
    assert closed.headers["cross-origin-resource-policy"] == "same-origin"
