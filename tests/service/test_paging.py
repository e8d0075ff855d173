"""Lists of the API, gone through to their ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.alerts import AlertState, Triage
from pytest_xeonperf.judge.alerts import Findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.testclient import TestClient

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

SAME = "2026-09-02T10:00:00+00:00"


@pytest.fixture
def long(store: Store, recorded: Run) -> Store:
    """A history of nine runs: six of them began at the same time, and two have several tests of one case."""
    result = recorded.results[0]
    several = tuple(replace(result, node_id=f"{result.node_id}[{number}]") for number in range(3))
    for number in range(7):
        store.add_run(
            replace(
                recorded,
                id=f"0199aaaa-0000-7000-8000-{(number * 5) % 7:012}",
                started_at=SAME if number < 6 else "2026-09-03T10:00:00+00:00",
                machine=replace(recorded.machine, threads=1 + number % 2),
                results=several if number in {3, 4} else (result,),
            )
        )
    return store


def pages(client: TestClient, address: str, name: str, **query: object) -> Iterator[list[dict[str, object]]]:
    """The pages of a list, until there is nothing older."""
    before = ""
    while True:
        answer = client.get(address, params={**query, "before": before})
        assert answer.status_code == 200
        yield answer.json()[name]
        before = answer.json()["older"]
        if not before:
            return


@pytest.mark.parametrize("limit", [1, 2, 3, 9, 100])
def test_all_runs_are_seen_once_newest_first(client: TestClient, long: Store, limit: int) -> None:
    found = list(pages(client, "/api/v1/runs", "runs", limit=limit))
    assert {len(page) for page in found[:-1]} <= {limit}
    ids = [run["id"] for page in found for run in page]
    assert ids == [run.id for run in long.runs()]
    assert len(set(ids)) == 9


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("on_one_class", [False, True])
def test_all_points_of_a_case_are_seen_once(
    client: TestClient, long: Store, recorded: Run, limit: int, *, on_one_class: bool
) -> None:
    case_id = recorded.results[0].case.id
    machine = long.runs(limit=1)[0].comparability_class if on_one_class else ""
    found = list(pages(client, f"/api/v1/cases/{case_id}/trend", "points", limit=limit, machine=machine))
    assert {len(page) for page in found[:-1]} <= {limit}
    oldest_first = [point["run"] for page in reversed(found) for point in page]
    assert oldest_first == [point.run_id for point in long.trend(case_id, comparability_class=machine)]
    assert len(oldest_first) == (6 if on_one_class else 13)


def test_what_comes_in_meanwhile_moves_nothing(client: TestClient, long: Store, recorded: Run) -> None:
    before = [run.id for run in long.runs()]
    walk = pages(client, "/api/v1/runs", "runs", limit=2)
    seen = [run["id"] for run in next(walk)]
    long.add_run(
        replace(recorded, id="0199bbbb-0000-7000-8000-000000000000", started_at="2026-09-04T10:00:00+00:00", results=())
    )
    seen += [run["id"] for page in walk for run in page]
    assert seen == before


@pytest.fixture
def nine(store: Store, alert: Alert) -> Store:
    """A history of nine alerts: six of them were raised at the same time, and three are decided about."""
    others = [
        replace(
            alert,
            id=f"{(number * 5) % 8:012x}",
            raised_at=SAME if number < 6 else "2026-10-03T10:00:00+00:00",
            state=AlertState.FIXED if number % 3 == 0 else AlertState.NEW,
        )
        for number in range(8)
    ]
    store.raise_alerts(alert.case, alert.comparability_class, lambda _known: Findings(raised=tuple(others)))
    return store


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 9, 100])
@pytest.mark.parametrize("state", ["", "open", "fixed"])
def test_all_alerts_are_seen_once_newest_first(client: TestClient, nine: Store, limit: int, state: str) -> None:
    found = list(pages(client, "/api/v1/alerts", "alerts", limit=limit, state=state))
    assert {len(page) for page in found[:-1]} <= {limit}
    ids = [alert["id"] for page in found for alert in page]
    assert ids == [
        each.id for each in nine.alerts() if state in {"", each.state} or (state == "open" and each.state.open)
    ]
    assert len(set(ids)) == {"": 9, "open": 6, "fixed": 3}[state]


def test_an_alert_that_is_decided_about_meanwhile_is_still_a_place(client: TestClient, nine: Store) -> None:
    before = [each.id for each in nine.alerts([AlertState.NEW])]
    walk = pages(client, "/api/v1/alerts", "alerts", limit=2, state="new")
    seen = [alert["id"] for alert in next(walk)]
    nine.triage(seen[-1], Triage(state=AlertState.INVALID), by="ann", at="2026-10-04T10:00:00+00:00")
    seen += [alert["id"] for page in walk for alert in page]
    assert seen == before


@pytest.mark.parametrize("place", ["nothing", "a.b", "nothing.7", "\0", "x" * 3000, "0199aaaa-0000-7000-8000-.", ".1"])
def test_a_place_that_is_none_is_told(client: TestClient, recorded: Run, place: str) -> None:
    for address in ("/api/v1/runs", "/api/v1/alerts", f"/api/v1/cases/{recorded.results[0].case.id}/trend"):
        answer = client.get(address, params={"before": place})
        assert answer.status_code in {400, 404}
        assert answer.json()["error"]["what"]


def test_a_page_is_found_by_the_index_of_times(store: Store, recorded: Run, plans: Callable) -> None:
    """What a page costs is what it holds, however far back it is."""
    case_id = recorded.results[0].case.id
    before = store.runs()[0].id
    for told in (
        plans(lambda: store.run_page(limit=1, before=before)),
        plans(lambda: store.trend_page(case_id, limit=1, before=f"{before}.999")),
    ):
        assert any("ix_run_started_at (started_at<?)" in line for line in told), told
