"""What the gate prints of a comparison, and what it asks for: without the workers."""

import json
import re
from dataclasses import replace

import pytest

from pytest_xeonperf.cli import gate
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.store.engine import open_store

COLUMN = "slow-down seen from"


@pytest.fixture
def gated(tmp_path, monkeypatch, git, command_line):
    """Runs ``xeonperf gate`` in a changed repository, where it finds what it is told; gives what was asked, too."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    (tmp_path / "model.py").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=One")
    (tmp_path / "model.py").write_text("two")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(gate, "machine_from_outside", lambda _settings: None)

    def run(found, *words):
        asked = []

        def stub(request, _talk):
            asked.append(request)
            return found

        monkeypatch.setattr(gate, "run_gate", stub)
        return command_line("gate", "--base=HEAD", *words), *asked

    return run


def test_the_table_says_from_which_size_on_a_slow_down_would_have_been_seen(gated, comparison, compared):
    undecided = compared(Outcome.INCONCLUSIVE, reason="undecided after 9 rounds")
    said, _request = gated(comparison(compared(), undecided, compared(Outcome.REGRESSION)))
    assert said.exit_code == 1
    titles, red, *others = said.out.splitlines()
    begins, ends = re.search(COLUMN, titles).span()
    assert [line[begins:ends].strip() for line in (red, *others[:2])] == ["-", "any", "any"]
    assert others[2] == "Slow-down seen from: where none was seen, one of so much or more would have been"


def test_where_nothing_was_measured_nothing_would_have_been_seen(gated, comparison, compared):
    said, _request = gated(comparison(compared(Outcome.NO_BASELINE, change=Unknown(reason="new"), reason="new")))
    assert said.exit_code == 6
    assert "Slow-down seen from:" not in said.out


@pytest.mark.parametrize(("words", "patience_s"), [((), 900), (("--patience", "60"), 60)])
def test_its_patience_is_a_quarter_of_an_hour_unless_told_otherwise(gated, comparison, compared, words, patience_s):
    _said, request = gated(comparison(compared()), *words)
    assert request.patience_s == patience_s


def test_its_json_takes_the_place_of_the_table(gated, comparison, compared):
    said, _request = gated(comparison(compared()), "--json", "-")
    assert json.loads(said.out)["verdict"] == "PASS"


@pytest.fixture
def there(tmp_path):
    """A history where the gate looks for one."""
    path = tmp_path / "xeonperf.db"
    with open_store(str(path)):
        pass
    return path


def test_a_slow_down_raises_an_alert_in_the_history_once(gated, there, comparison, compared):
    found = comparison(compared(Outcome.REGRESSION))
    for told in ("alerts: 1 new", ""):
        said, _request = gated(found)
        assert said.exit_code == 1
        assert told in said.err
        assert ("alerts:" in said.err) is bool(told)
    with open_store(str(there), readonly=True) as store:
        (alert,) = store.alerts()
    assert (alert.sha_before, alert.sha_after) == ("a" * 40, "b" * 40)


def test_no_history_is_made_for_alerts_and_no_slow_down_raises_any(gated, tmp_path, comparison, compared):
    gated(comparison(compared(Outcome.REGRESSION)))
    assert not (tmp_path / "xeonperf.db").exists()


def test_uncommitted_changes_raise_no_alert(gated, there, comparison, compared):
    found = comparison(compared(Outcome.REGRESSION))
    said, _request = gated(replace(found, head_commit=replace(found.head_commit, dirty=True)))
    assert "no alerts: head has uncommitted changes" in said.err
    with open_store(str(there), readonly=True) as store:
        assert store.alerts() == ()


@pytest.mark.parametrize("same_commit", [True, False])
def test_two_interpreters_raise_no_alert(gated, there, comparison, compared, same_commit):
    found = comparison(compared(Outcome.REGRESSION))
    other = replace(found.base_machine, facts=(("torch", "2.12.0"),))
    found = replace(found, base_machine=other, base_commit=found.head_commit if same_commit else found.base_commit)
    said, _request = gated(found)
    assert "no alerts: base and head differ in more than their commits: torch" in said.err
    with open_store(str(there), readonly=True) as store:
        assert store.alerts() == ()


def test_a_history_that_cannot_be_written_changes_no_verdict(gated, there, comparison, compared):
    there.write_text("something else, and long enough to be looked at" * 50)
    said, _request = gated(comparison(compared(Outcome.REGRESSION)))
    assert said.exit_code == 1
    assert "no alerts were raised" in said.err


def test_several_processes_are_refused_as_they_would_not_be_measured(gated, comparison, compared):
    said, *asked = gated(comparison(compared()), "--xeonperf-processes", "3")
    assert (said.exit_code, asked) == (4, [])
    assert "--xeonperf-processes: a gate does not measure in 3 processes" in said.err
    assert gated(comparison(compared()), "--xeonperf-processes=1")[0].exit_code == 0


def test_processes_that_are_configured_for_sessions_are_told_and_left(gated, comparison, compared, monkeypatch):
    monkeypatch.setenv("XEONPERF_PROCESSES", "3")
    said, _request = gated(comparison(compared()))
    assert said.exit_code == 0
    assert "3 processes are configured for sessions; each side of a gate is one" in said.err
