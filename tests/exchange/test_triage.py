"""What somebody decides, checked."""

from __future__ import annotations

import pytest

from pytest_xeonperf.alerts import AS_IT_IS, AlertState, Triage
from pytest_xeonperf.errors import DataError
from pytest_xeonperf.exchange.triage import is_address, triage_from


def test_what_is_not_said_stays_as_it_is() -> None:
    assert triage_from({"state": "fixed"}) == Triage(state=AlertState.FIXED)
    assert triage_from({"note": " a\r\nb "}) == Triage(note="a\nb")
    assert triage_from({"issue_url": ""}).issue_url == ""
    assert triage_from({"assignee": "<b>"}).state is AS_IT_IS


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({}, ""),
        ({"colour": "red"}, ""),
        ({"state": "gone"}, "state"),
        ({"state": None}, "state"),
        ({"assignee": 7}, "assignee"),
        ({"assignee": "a" * 201}, "assignee"),
        ({"note": "\ud800"}, "note"),
        ({"note": "\0"}, "note"),
        ({"issue_url": "javascript:alert(1)"}, "issue_url"),
    ],
)
def test_what_cannot_be_meant_says_where_and_what_can(said: dict[str, object], where: str) -> None:
    with pytest.raises(DataError) as refused:
        triage_from(said)
    assert refused.value.where == where
    assert refused.value.remedy


@pytest.mark.parametrize("good", ["https://x.example/1", "http://x.example:8080/a?b=c#d", "https://[::1]/1"])
def test_an_issue_is_at_an_address_of_the_web(good: str) -> None:
    assert is_address(good)


@pytest.mark.parametrize(
    "bad",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//x.example",
        "https://",
        "https:// x",
        "https://a@b.example",
        "https://x.example:0",
        "https://x.example:x",
        "https://[x",
        "file:///etc/passwd",
        "https://x.example/\n1",
        "https:\\\\x.example",
        "x.example/1",
    ],
)
def test_nothing_else_is(bad: str) -> None:
    assert not is_address(bad)
