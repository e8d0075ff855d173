"""What is told of a run that arrived."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.ci.alerts import News
from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.service.announcement import changed_alerts, is_red, red_run
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.alerts import Alert
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store

URL = "https://perf.example"


def with_outcomes(run: Run, outcome: Outcome) -> Run:
    results = [replace(result, verdict=replace(result.verdict, outcome=outcome)) for result in run.results]
    return replace(run, results=tuple(results))


@pytest.mark.parametrize("outcome", Outcome)
def test_a_run_is_red_where_a_case_is(recorded: Run, outcome: Outcome) -> None:
    assert is_red(with_outcomes(recorded, outcome)) is outcome.red
    assert not is_red(replace(recorded, results=()))


def test_it_says_what_the_run_came_to_which_cases_are_red_and_where_to_look(recorded: Run) -> None:
    notice = red_run(recorded, public_url=URL)
    assert notice.document["outcomes"] == {"PASS": 1, "CRASHED": 1, "INCONCLUSIVE": 1}
    assert [case["verdict"] for case in notice.document["red"]] == ["CRASHED"]
    assert notice.document["link"] == f"{URL}/run-{recorded.id}.html"
    assert notice.document["sha"] == recorded.commit.sha
    assert notice.subject == "xeonperf: run of 0f0f0f0f0f on main failed: 1 pass, 1 crashed, 1 inconclusive"
    assert notice.document["link"] in notice.text
    assert "CRASHED sam-vit-b/encode" in notice.text
    json.dumps(notice.document, allow_nan=False)


def test_without_a_commit_nothing_is_made_up(recorded: Run) -> None:
    notice = red_run(replace(recorded, commit=Unknown(reason="no git")), public_url=URL)
    assert (notice.document["sha"], notice.document["branch"]) == ("", "")
    assert notice.subject.startswith("xeonperf: run failed:")


def test_names_stay_on_their_line(recorded: Run) -> None:
    commit = replace(recorded.commit, branch="main\r\nBcc: everybody@perf.example\u202e")
    notice = red_run(replace(recorded, commit=commit), public_url=URL)
    assert len(notice.subject.splitlines()) == 1
    assert "\u202e" not in notice.subject


def test_a_run_that_arrives_is_told_once_and_only_when_it_is_new(
    make_client: Callable, bearing: Callable, recorded: Run
) -> None:
    arrived: list[Run] = []
    client = make_client(arrived=arrived.append)
    run = replace(recorded, id="01999999-0000-7000-8000-000000000000")
    for body in (native.dumps(run), native.dumps(run), "{}", native.dumps(replace(run, command="another"))):
        client.post("/api/v1/runs", content=body, headers=bearing(Scope.INGEST))
    assert arrived == [run]


AT = "2026-10-01T10:00:00+00:00"


def test_one_notice_tells_of_all_that_a_look_found(alert: Alert) -> None:
    over = replace(alert, id="0123456789ab", latency_ratio=1.5)
    notice = changed_alerts(News(raised=(alert,), recovered=(over,)), at=AT, public_url=URL)
    assert notice.event == notice.document["event"] == "alerts.changed"
    assert notice.document["numbers"] == {"raised": 1, "recovered": 1, "reopened": 0}
    assert notice.document["raised"][0]["id"] == alert.id
    assert notice.document["raised"][0]["link"] == f"{URL}/alert-{alert.id}.html"
    assert notice.subject.startswith("xeonperf: alerts: 1 new (sam-vit-b/encode")
    assert f"recovered {over.case.label}: +50.0 % time" in notice.text
    assert f"{URL}/alerts.html" in notice.text
    json.dumps(notice.document, allow_nan=False)


def test_the_worst_are_told_where_there_are_too_many(alert: Alert) -> None:
    many = tuple(replace(alert, id=f"{number:012}", latency_ratio=1.1 + number / 100) for number in range(25))
    notice = changed_alerts(News(raised=many), at=AT, public_url=URL)
    assert [each["id"] for each in notice.document["raised"]] == [f"{number:012}" for number in range(24, 4, -1)]
    assert notice.document["numbers"]["raised"] == 25
    assert "raised: 5 more" in notice.text


def test_what_happens_again_is_another_notice(alert: Alert) -> None:
    news = News(reopened=(alert,))
    first, again, later = (changed_alerts(news, at=at, public_url=URL).id for at in (AT, AT, "2026-10-02T10:00:00"))
    assert first == again != later


def test_alerts_that_a_run_raises_are_told_once(
    make_client: Callable, bearing: Callable, store: Store, recorded: Run, slow_down: Callable
) -> None:
    told: list[tuple[News, str]] = []
    client = make_client(seen=lambda news, at: told.append((news, at)))
    last = slow_down(store, recorded)[-1]
    for number in range(2):
        body = native.dumps(replace(last, id=f"01999999-0000-7000-8000-{number:012}"))
        assert client.post("/api/v1/runs", content=body, headers=bearing(Scope.INGEST)).status_code == 201
    ((news, _at),) = told
    assert [alert.id for alert in news.raised] == [alert.id for alert in store.alerts()]
