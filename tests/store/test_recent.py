"""The newest points of all cases at once are those of each, however seldom it is measured."""

from dataclasses import replace

import pytest

from pytest_xeonperf.store import recent


@pytest.fixture
def filled(store, make_run, make_result, timed):
    """Nine runs on two classes of machine: two cases in each run, one in none of the last three, one in the first."""
    for day in range(1, 10):
        variants = ["sdpa_bf16", *["woq_int4"] * (day < 7), *["woq_int8"] * (day == 1)]
        results = [make_result(variant=variant, ratio=3 + day / 10) for variant in variants]
        run = make_run(results=(*results, timed), started_at=f"2026-09-0{day}T10:00:00+00:00")
        store.add_run(replace(run, machine=replace(run.machine, threads=2 + day % 2)))
    return store


def marks_of(store):
    """Of all runs that have a result."""
    return store.marks(until=store.extent().newest_id)


def recent_of(store, most):
    """By case, what is to be tested."""
    return store.recent(marks_of(store), most=most, until=store.extent().newest_id)


@pytest.mark.parametrize("most", [1, 3, 40])
@pytest.mark.parametrize("spare", [0, 1, 24])
@pytest.mark.parametrize("many", [1, 4, 300])
def test_the_points_of_the_class_of_the_newest_one_are_all_there(filled, most, spare, many, monkeypatch):
    monkeypatch.setattr(recent, "_SPARE", spare)
    monkeypatch.setattr(recent, "_MANY", many)
    found = recent_of(filled, most)
    assert len(found) == 4
    for case_id, points in found.items():
        newest = filled.trend(case_id)[-1]
        assert points[-1] == newest
        alike = filled.trend(case_id, comparability_class=newest.comparability_class)[-most:]
        assert tuple(each for each in points if each.comparability_class == newest.comparability_class) == alike
        assert list(points) == sorted(points, key=lambda point: point.started_at)


def test_points_of_other_classes_are_there_as_far_as_they_are_recent(filled, timed, monkeypatch):
    machines = {mark.comparability_class for mark in marks_of(filled)}
    for spare, known in ((24, machines), (0, {marks_of(filled)[-1].comparability_class})):
        monkeypatch.setattr(recent, "_SPARE", spare)
        assert {point.comparability_class for point in recent_of(filled, 1)[timed.case.id]} == known


def test_no_case_is_read_as_a_whole_because_it_is_measured_seldom(filled, monkeypatch):
    """A thousand runs of a few cases on a branch would else cost all points of all others."""
    monkeypatch.setattr(recent, "_SPARE", 0)
    monkeypatch.setattr(recent, "_MANY", 1)
    monkeypatch.setattr(recent, "read_points", None)
    read = []
    in_runs = recent.read_in_runs
    monkeypatch.setattr(
        recent,
        "read_in_runs",
        lambda told, marks, places, *more: read.append(len(places)) or in_runs(told, marks, places, *more),
    )
    assert len(recent_of(filled, 2)) == 4
    assert max(read) <= 2


@pytest.mark.parametrize("many", [1, 300])
def test_what_comes_while_a_page_is_made_is_left_to_the_next_one(filled, make_run, make_result, many, monkeypatch):
    monkeypatch.setattr(recent, "_SPARE", 0)
    monkeypatch.setattr(recent, "_MANY", many)
    extent, before = filled.extent(), recent_of(filled, 2)
    marks = filled.marks(until=extent.newest_id)
    for day in range(10, 20):
        late = make_run(results=(make_result(variant="woq_int4"),), started_at=f"2026-09-{day}T10:00:00+00:00")
        filled.add_run(late)
    assert filled.recent(marks, most=2, until=extent.newest_id) == before
