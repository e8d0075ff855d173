"""The machines that runs were made on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pytest_xeonperf.records import Unknown
from pytest_xeonperf.store import machines

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_xeonperf.records import Machine, Run
    from pytest_xeonperf.store.repository import Store


@pytest.fixture
def machine(make_run: Callable[..., Run]) -> Machine:
    return make_run().machine


@pytest.fixture
def add(store: Store, make_run: Callable[..., Run]) -> Callable[[int, Machine], None]:
    """Adds a run of a day on a machine."""

    def run_on(day: int, machine: Machine) -> None:
        store.add_run(make_run(id=f"day{day}", started_at=f"2026-09-0{day}T10:00:00+00:00", machine=machine))

    return run_on


def test_a_fingerprint_has_its_runs_counted_and_its_first_and_last_day(
    store: Store, add: Callable, machine: Machine
) -> None:
    updated = replace(machine, facts=(("kernel", "6.8.0"), ("torch", "2.13.0")))
    for day, on in ((2, machine), (1, machine), (3, updated)):
        add(day, on)
    newest, older = store.machines()
    assert (newest.machine, newest.runs, newest.newest_run) == (updated, 1, "day3")
    assert (older.machine, older.runs, older.newest_run) == (machine, 2, "day2")
    assert [older.first_at[:10], older.last_at[:10]] == ["2026-09-01", "2026-09-02"]


def test_what_sessions_found_differently_is_that_of_the_newest_run(
    store: Store, add: Callable, machine: Machine
) -> None:
    unmeasured = replace(machine, amx=replace(machine.amx, detail="said otherwise"), limits=Unknown(reason="skipped"))
    add(1, machine)
    add(2, unmeasured)
    (found,) = store.machines()
    assert found.machine == unmeasured
    assert found.limits == (machine.limits,)


def test_limits_come_newest_first_and_only_so_many_are_read(
    store: Store, add: Callable, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (1, 2, 3):
        add(day, replace(machine, limits=replace(machine.limits, read_bytes_per_s=day * 1e10)))
    (found,) = store.machines()
    assert [limits.read_bytes_per_s for limits in found.limits] == [3e10, 2e10, 1e10]
    monkeypatch.setattr(machines, "_LOOKED_AT", 1)
    (found,) = store.machines()
    assert (len(found.limits), found.runs) == (1, 3)


def test_an_empty_history_has_no_machines(store: Store) -> None:
    assert store.machines() == ()
