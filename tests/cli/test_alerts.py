"""``xeonperf alerts``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_xeonperf.records import Run


@pytest.fixture
def slower(history: Path, recorded_run: Run, slow_down: Callable) -> Path:
    """A history in which a case became slower, and nobody has looked."""
    with open_store(str(history)) as store:
        slow_down(store, recorded_run)
    return history


@pytest.fixture
def alert_id(slower: Path, command_line: Callable) -> str:
    """The id of the alert that a look at the history raises."""
    said = command_line("alerts", "scan")
    assert said.exit_code == 1
    return said.out.split()[0]


def test_a_scan_tells_each_slow_down_once(slower: Path, command_line: Callable) -> None:
    first, second = command_line("alerts", "scan"), command_line("alerts", "scan")
    assert (first.exit_code, second.exit_code) == (1, 0)
    assert "sam-vit-b/encode compiled_bf16 over eager_fp32 [quick] +2" in first.out
    assert second.out == ""


def test_the_list_has_open_ones_and_others_where_they_are_asked_for(alert_id: str, command_line: Callable) -> None:
    listed = command_line("alerts")
    assert listed.exit_code == 0
    titles, line = listed.out.splitlines()
    assert titles.split()[:2] == ["id", "state"]
    assert line.split()[:2] == [alert_id, "new"]
    assert command_line("alerts", "set", alert_id, "--state", "invalid").exit_code == 0
    assert command_line("alerts").out == ""
    assert alert_id in command_line("alerts", "--all").out
    assert alert_id in command_line("alerts", "--state", "fixed", "--state", "invalid").out
    assert command_line("alerts", "--state", "fixed").out == ""


def test_the_json_is_all_that_is_on_stdout(alert_id: str, command_line: Callable) -> None:
    said = command_line("alerts", "--json")
    document = json.loads(said.out)
    assert (said.exit_code, said.err, document["schema"]) == (0, "", "xeonperf-alerts/1")
    (alert,) = document["alerts"]
    assert (alert["id"], alert["state"], alert["open"], alert["direction"]) == (alert_id, "new", True, "slower")
    assert alert["latency_ratio"] == pytest.approx(1.2, abs=0.01)
    assert alert["speed"] is None
    assert alert["unknown"].keys() == {"speed", "recovered_run"}


def test_what_somebody_says_is_kept_with_a_name_and_shown(alert_id: str, command_line: Callable, slower: Path) -> None:
    words = ("--assignee", "ann", "--note", "since the fusion", "--issue", "https://x.example/4", "--by", "Bob")
    said = command_line("alerts", "set", alert_id, "--state", "investigating", *words)
    assert (said.exit_code, said.out) == (0, "")
    assert f"alert {alert_id} is investigating, ann" in said.err
    with open_store(str(slower), readonly=True) as store:
        assert store.alert(alert_id).issue_url == "https://x.example/4"
    shown = command_line("alerts", "show", alert_id)
    assert "Bob: state new → investigating, assignee nothing → ann" in shown.out
    assert "since the fusion" in shown.out
    assert "change points: raised" in shown.out
    document = json.loads(command_line("alerts", "show", alert_id, "--json").out)
    assert document["schema"] == "xeonperf-alert/1"
    assert [event["kind"] for event in document["events"]] == ["raised", "triaged"]
    assert document["events"][1]["changes"][0] == {"name": "state", "before": "new", "after": "investigating"}


def test_what_is_expected_is_accepted(alert_id: str, command_line: Callable, slower: Path) -> None:
    assert command_line("alerts", "set", alert_id, "--state", AlertState.EXPECTED.value).exit_code == 0
    with open_store(str(slower), readonly=True) as store:
        alert = store.alert(alert_id)
        (word,) = store.acceptances(alert.comparability_class, until="9999")
    assert word.run_id == alert.run_id
    assert command_line("alerts", "scan").exit_code == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("set", "nothing", "--state", "fixed"), "there is no alert 'nothing'"),
        (("show", "nothing"), "there is no alert 'nothing'"),
        (("set", "ID"), "nothing is to be changed"),
        (("set", "ID", "--issue", "javascript:alert(1)"), "is no address of an issue"),
        (("set", "ID", "--issue", "https://user:pw@x.example"), "is no address of an issue"),
        (("set", "ID", "--state", "gone"), "Invalid value for '--state'"),
        (("set", "ID", "--note", "x" * 5000), "5000 characters"),
        (("set", "ID", "--assignee", "a\x1b[2J"), "a character that cannot be shown"),
        (("--all", "scan"), "options of the list"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    alert_id: str, command_line: Callable, words: tuple[str, ...], complaint: str
) -> None:
    said = command_line("alerts", *(alert_id if word == "ID" else word for word in words))
    assert (said.exit_code, said.out) == (4, "")
    assert complaint in said.err


def test_a_history_without_alerts_says_so(history: Path, command_line: Callable) -> None:
    said = command_line("alerts")
    assert (said.exit_code, said.out, said.err) == (0, "", "no open alerts\n")
