"""Raising alerts in a history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.alerts import AlertSource, AlertState, Triage
from pytest_xeonperf.ci import alerts
from pytest_xeonperf.ci.alerts import watch_all, watch_gate, watch_run
from pytest_xeonperf.exchange import native
from pytest_xeonperf.records import Outcome
from pytest_xeonperf.store.engine import open_store
from pytest_xeonperf.store.repository import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pytest_xeonperf.records import Run

NOW = "2026-09-30T10:00:00+00:00"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty history."""
    with open_store(str(tmp_path / "xeonperf.db")) as opened:
        yield opened


@pytest.fixture(scope="session")
def recorded() -> Run:
    """A run whose first case was measured."""
    return native.loads((Path(__file__).parents[1] / "cli" / "run.json").read_text(encoding="utf-8"))


def test_a_run_raises_what_its_cases_have_to_tell_once(store: Store, recorded: Run, slow_down: Callable) -> None:
    runs = slow_down(store, recorded)
    news = watch_run(store, runs[-1], at=NOW)
    (alert,) = news.raised
    assert alert.run_id == runs[16].id
    assert news.line == (
        f"alerts: 1 new ({alert.case.label} {alerts.show_change(alert.latency_ratio)}); `xeonperf alerts` shows them"
    )
    again = watch_run(store, runs[-1], at=NOW)
    assert (again.raised, again.line) == ((), "")
    assert watch_all(store, at=NOW).raised == ()


def test_what_a_crash_left_out_is_found_by_the_next_look(store: Store, recorded: Run, slow_down: Callable) -> None:
    slow_down(store, recorded)
    assert len(watch_all(store, at=NOW).raised) == 1


def test_runs_of_other_cases_machines_and_presets_raise_nothing(
    store: Store, recorded: Run, slow_down: Callable
) -> None:
    (last, *_) = reversed(slow_down(store, recorded))
    other = replace(last.results[0], case=replace(last.results[0].case, preset="smoke"))
    for run in (
        replace(last, machine=replace(last.machine, threads=99)),
        replace(last, results=()),
        replace(last, results=(other,)),
    ):
        assert watch_run(store, run, at=NOW).raised == ()


def test_a_history_without_news_is_not_written_to(
    store: Store, recorded: Run, slow_down: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = slow_down(store, recorded, times_ns=lambda _: 10_000_000)

    def refuse(*_: object) -> None:
        pytest.fail("it was written to")

    monkeypatch.setattr(Store, "watch", refuse)
    assert watch_run(store, runs[-1], at=NOW).line == ""


def test_what_is_over_is_told(store: Store, recorded: Run, slow_down: Callable) -> None:
    runs = slow_down(store, recorded, times_ns=lambda number: 12_000_000 if 8 <= number < 18 else 10_000_000)
    with open_store(f"{store.where}.early") as early:
        slow_down(early, recorded, runs=18, times_ns=lambda number: 12_000_000 if number >= 8 else 10_000_000)
        (alert,) = watch_all(early, at=NOW).raised
        for run in runs[18:]:
            early.add_run(run)
        news = watch_run(early, runs[-1], at=NOW)
        assert "1 over, the latency is back" in news.line
        assert early.alert(alert.id).state is AlertState.FIXED


def test_what_is_expected_raises_nothing_again_and_is_what_later_runs_are_compared_with(
    store: Store, recorded: Run, slow_down: Callable
) -> None:
    runs = slow_down(store, recorded)
    (alert,) = watch_run(store, runs[-1], at=NOW).raised
    store.triage(alert.id, Triage(state=AlertState.EXPECTED), by="Ann", at=NOW)
    assert watch_all(store, at=NOW).raised == ()
    (word,) = store.acceptances(alert.comparability_class, until=NOW)
    assert (word.run_id, word.case) == (runs[16].id, alert.case)


def test_a_gates_regressions_are_raised_once_for_its_two_commits(
    store: Store, comparison: Callable, compared: Callable
) -> None:
    found = comparison(compared(), compared(Outcome.REGRESSION))
    (alert,) = watch_gate(store, found, at=NOW).raised
    assert store.alert(alert.id).source is AlertSource.GATE
    assert watch_gate(store, found, at=NOW).raised == ()
    assert watch_gate(store, comparison(compared(Outcome.CRASHED)), at=NOW).raised == ()


def test_many_alerts_are_one_line_with_the_worst(store: Store, recorded: Run, slow_down: Callable) -> None:
    runs = slow_down(store, recorded)
    (alert,) = watch_run(store, runs[-1], at=NOW).raised
    line = alerts.News(raised=(alert, replace(alert, latency_ratio=1.5))).line
    assert "2 new" in line
    assert "+50.0 %, and 1 more" in line
    assert "\n" not in line
