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
from pytest_xeonperf.records import Acceptance, Outcome
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


def _branched(store: Store, runs: list[Run], branch_of: Callable, level_of: Callable) -> None:
    """The runs again, each on its branch and at its level."""
    for number, run in enumerate(runs):
        (result,) = run.results
        measured = replace(result.measurement, candidate_median_ns=level_of(number, run))
        store.add_run(
            replace(
                run,
                commit=replace(run.commit, branch=branch_of(number)),
                results=(replace(result, measurement=measured),),
            )
        )


def _median_ns(run: Run) -> int:
    return run.results[0].measurement.candidate_median_ns


def test_a_slow_branch_raises_nothing_on_main(store: Store, recorded: Run, slow_down: Callable) -> None:
    with open_store(f"{store.where}.steady") as steady:
        runs = slow_down(steady, recorded, times_ns=lambda _: 10_000_000)
    _branched(
        store,
        runs,
        lambda number: "feature" if number >= 14 else "main",
        lambda number, run: round(_median_ns(run) * (1.3 if number >= 14 else 1)),
    )
    assert watch_all(store, at=NOW).raised == ()


def test_a_slow_down_of_main_is_seen_between_runs_of_a_branch(store: Store, recorded: Run, slow_down: Callable) -> None:
    with open_store(f"{store.where}.steady") as steady:
        runs = slow_down(steady, recorded, times_ns=lambda _: 10_000_000)
    _branched(
        store,
        runs,
        lambda number: "feature" if number % 2 else "main",
        lambda number, run: round(_median_ns(run) * (1.3 if number % 2 else 1.1 if number >= 14 else 1)),
    )
    (alert,) = watch_all(store, at=NOW).raised
    assert (alert.run_id, alert.latency_ratio) == (runs[14].id, pytest.approx(1.1, abs=0.005))


def test_what_is_accepted_between_two_looks_is_not_raised(
    store: Store, recorded: Run, slow_down: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = slow_down(store, recorded)
    word = Acceptance(case=runs[20].results[0].case, run_id=runs[20].id, accepted_at=NOW, accepted_by="Ann", reason="")
    read = Store.evidence

    def read_and_accept(*arguments: object, **named: object) -> object:
        found = read(*arguments, **named)
        store.accept([word])
        return found

    monkeypatch.setattr(Store, "evidence", read_and_accept)
    assert watch_all(store, at=NOW).raised == ()


def test_a_gate_of_suites_that_are_only_tried_raises_nothing(
    store: Store, comparison: Callable, compared: Callable
) -> None:
    made = compared(Outcome.REGRESSION)
    assert watch_gate(store, comparison(replace(made, case=replace(made.case, preset="smoke"))), at=NOW).raised == ()


def test_an_alert_that_is_open_again_is_told(store: Store, recorded: Run, slow_down: Callable) -> None:
    runs = slow_down(store, recorded)
    (alert,) = watch_run(store, runs[-1], at=NOW).raised
    assert alerts.News(reopened=(alert,)).line == (
        "alerts: 1 open again, the latency is not back after all; `xeonperf alerts` shows them"
    )


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
