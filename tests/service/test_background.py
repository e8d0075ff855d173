"""What pages of cases have in common is read once, and again when the history says something new."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_xeonperf.service.background import Backgrounds

if TYPE_CHECKING:
    from pytest_xeonperf.records import Run
    from pytest_xeonperf.store.repository import Store


def test_it_is_read_once_for_a_state(store: Store) -> None:
    backgrounds = Backgrounds()
    assert backgrounds.newest(store) is backgrounds.newest(store)


def test_a_new_run_is_in_it(store: Store, recorded: Run) -> None:
    backgrounds = Backgrounds()
    before = backgrounds.newest(store)
    store.add_run(replace(recorded, id="brought", started_at="2027-01-01T10:00:00+00:00"))
    newest = backgrounds.newest(store)
    assert newest.run_ids == {*before.run_ids, "brought"}
    assert newest.moments.marks[-1].run_id == "brought"
    assert newest.extent.results > before.extent.results
