"""A run beside its past: gaps, duplicates and other environments in the history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.exchange import native
from pytest_xeonperf.judge.betting import estimate, log_ratios
from pytest_xeonperf.records import Acceptance, Measurement, Outcome, Sample, Unknown
from pytest_xeonperf.store.comparing import compared
from pytest_xeonperf.store.engine import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_xeonperf.judge.runs import RunComparison
    from pytest_xeonperf.records import Result, Run
    from pytest_xeonperf.store.repository import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty history."""
    with open_store(str(tmp_path / "xeonperf.db")) as opened:
        yield opened


@pytest.fixture(scope="session")
def recorded() -> Run:
    """A run whose first case was measured."""
    return native.loads((Path(__file__).parents[1] / "cli" / "run.json").read_text(encoding="utf-8"))


def result(recorded: Run, speedup: float, node_id: str = "test_a.py::test_a") -> Result:
    """What a test came to: twelve pairs at one speed-up."""
    found = recorded.results[0]
    measured = found.measurement
    assert isinstance(measured, Measurement)
    samples = tuple(
        Sample(
            process=0,
            round_index=number,
            baseline_ns=round(speedup * 1e7),
            candidate_ns=10_000_000,
            baseline_position=0,
            candidate_position=1,
        )
        for number in range(12)
    )
    measured = replace(measured, samples=samples, speedup=estimate(log_ratios(samples), alpha=0.05))
    return replace(found, node_id=node_id, measurement=measured)


def add(store: Store, recorded: Run, day: int, *results: Result, torch: str = "2.13.0") -> Run:
    """Add a run of a day with these results."""
    run = replace(
        recorded,
        id=f"01970000-0000-7000-8000-{day:012}",
        started_at=f"2026-07-{day:02}T10:00:00+00:00",
        machine=replace(recorded.machine, facts=(("torch", torch),)),
        results=results,
    )
    store.add_run(run)
    return run


def beside(store: Store, base: Run, head: Run) -> RunComparison:
    """The comparison, where nobody knows the line of commits."""
    return compared(store, base, head, line=Unknown(reason="no repository"), tolerance=0.05, alpha=0.05)


def test_two_tests_of_one_case_in_a_run_are_one_session(store: Store, recorded: Run) -> None:
    runs = [
        add(
            store, recorded, day, result(recorded, 4.0, "test_a.py::test_a"), result(recorded, 4.0, "test_a.py::test_b")
        )
        for day in range(1, 7)
    ]
    (case,) = beside(store, runs[-2], runs[-1]).cases
    assert not isinstance(case.shift, Unknown)
    assert case.shift.spread == Unknown(reason="5 earlier sessions; 8 show how much they differ")


def test_of_two_tests_of_one_case_the_first_is_compared(store: Store, recorded: Run) -> None:
    base = add(store, recorded, 1, result(recorded, 4.0), result(recorded, 9.0, "test_a.py::test_b"))
    head = add(store, recorded, 2, result(recorded, 4.0), result(recorded, 1.0, "test_a.py::test_b"))
    found = beside(store, base, head)
    assert [each.outcome for each in found.cases] == [Outcome.PASS]
    assert found.cases[0].base_speedup.ratio == pytest.approx(4.0)


def test_of_two_tests_of_an_accepted_case_the_first_is_the_base(store: Store, recorded: Run) -> None:
    base = add(store, recorded, 1, result(recorded, 9.0))
    accepted = add(store, recorded, 2, result(recorded, 4.0), result(recorded, 8.0, "test_a.py::test_b"))
    case = accepted.results[0].case
    word = Acceptance(
        case=case, run_id=accepted.id, accepted_at="2026-07-02T11:00:00+00:00", accepted_by="Ann", reason="so be it"
    )
    store.accept([word])
    (each,) = beside(store, base, add(store, recorded, 3, result(recorded, 4.0))).cases
    assert each.base_speedup.ratio == pytest.approx(4.0)
    assert each.outcome is Outcome.PASS


def test_a_run_that_was_not_measured_is_a_gap_and_no_session(store: Store, recorded: Run) -> None:
    lost = replace(result(recorded, 4.0), measurement=Unknown(reason="it died"))
    runs = [add(store, recorded, day, lost if day == 3 else result(recorded, 4.0)) for day in range(1, 11)]
    (case,) = beside(store, runs[-2], runs[-1]).cases
    assert not isinstance(case.shift, Unknown)
    assert isinstance(case.shift.spread, float)  # of eight


@pytest.mark.parametrize(("torches", "known"), [(("2.12.1", "2.13.0"), False), (("2.13.0",), True)])
def test_sessions_of_another_torch_do_not_tell_what_sessions_differ_by(
    store: Store, recorded: Run, torches: tuple[str, ...], *, known: bool
) -> None:
    runs = [add(store, recorded, day, result(recorded, 4.0), torch=torches[day % len(torches)]) for day in range(1, 11)]
    (case,) = beside(store, runs[-3], runs[-1]).cases
    assert not isinstance(case.shift, Unknown)
    assert isinstance(case.shift.spread, float) is known


def test_what_was_accepted_after_an_upgrade_is_compared_with_in_the_new_environment(
    store: Store, recorded: Run
) -> None:
    base = add(store, recorded, 1, result(recorded, 9.0), torch="2.12.1")
    accepted = add(store, recorded, 2, result(recorded, 4.0))
    case = accepted.results[0].case
    assert beside(store, base, accepted).cases[0].outcome is Outcome.INCONCLUSIVE
    word = Acceptance(
        case=case, run_id=accepted.id, accepted_at="2026-07-02T11:00:00+00:00", accepted_by="Ann", reason="torch"
    )
    store.accept([word])
    (each,) = beside(store, base, add(store, recorded, 3, result(recorded, 2.0))).cases
    assert each.outcome is Outcome.REGRESSION  # since then, in the same environment
