"""What is told of a run that arrived."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.service.announcement import is_red, red_run
from pytest_xeonperf.store.tokens import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Run

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
