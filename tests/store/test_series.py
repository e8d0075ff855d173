"""Many points at once are the points that are read one case at a time."""

from dataclasses import replace

import pytest

from pytest_xeonperf.records import Unknown

VARIANTS = ("sdpa_bf16", "compiled_bf16", "woq_int4")


@pytest.fixture
def filled(store, make_run, make_result, timed):
    """Nine runs on two classes of machine, the newest without one of the cases; a gap, and what is timed alone."""
    for day in range(1, 10):
        results = [make_result(variant=variant, ratio=3 + day / 10) for variant in VARIANTS[: 2 if day == 9 else 3]]
        if day == 4:
            results[0] = replace(results[0], measurement=Unknown(reason="died by SIGILL"))
        run = make_run(results=(*results, timed), started_at=f"2026-09-0{day}T10:00:00+00:00")
        store.add_run(replace(run, machine=replace(run.machine, threads=2 + day % 2)))
    store.begin_run(make_run(results=(), started_at="2026-09-10T10:00:00+00:00"))
    return store


def marks_of(store):
    """Of all runs that have a result."""
    return store.marks(until=store.extent().newest_id)


def test_marks_are_the_runs_with_results_oldest_first(filled):
    assert [mark.started_at[:10] for mark in marks_of(filled)] == [f"2026-09-0{day}" for day in range(1, 10)]


def test_the_points_of_a_case_are_those_of_its_trend(filled):
    marks, extent = marks_of(filled), filled.extent()
    for case in filled.cases():
        numbered = filled.numbered_points(marks, case_id=case.id, until=extent.newest_id)[case.id]
        assert tuple(point for _place, _id, point in numbered) == filled.trend(case.id)
        assert all(marks[place].run_id == point.run_id for place, _id, point in numbered)


def test_only_points_after_an_extent_are_read_where_it_is_given(filled, make_run, make_result):
    before = filled.extent()
    filled.add_run(make_run(results=(make_result(),), started_at="2026-09-11T10:00:00+00:00"))
    after = filled.extent()
    found = filled.numbered_points(marks_of(filled), after=before.newest_id, until=after.newest_id)
    assert [len(points) for points in found.values()] == [1]
    assert after.results == before.results + 1
    assert filled.earlier_extent(after, before.newest_id) == before


def test_a_run_is_new_after_a_result_if_it_has_none_up_to_it(filled, make_run, make_result):
    before, resumed = filled.extent().newest_id, filled.runs(1)[0].id
    known = marks_of(filled)
    assert filled.new_runs(after=before) == frozenset()
    assert filled.new_runs(after=0) == {mark.run_id for mark in known}
    filled.add_results(known[-1].run_id, [make_result(variant="another")])
    filled.add_results(resumed, [make_result()])
    late = make_run(results=(make_result(), make_result()), started_at="2026-09-04T11:00:00+00:00")
    filled.add_run(late)
    assert filled.new_runs(after=before) == {resumed, late.id}
    assert filled.marks(until=before) == known
    assert [mark for mark in marks_of(filled) if mark.run_id not in {resumed, late.id}] == list(known)


def test_a_run_has_another_version_when_anything_of_it_changed(filled, make_result):
    (run_id,) = (summary.id for summary in filled.runs(limit=1))
    versions = [filled.run_versions([run_id])[run_id]]
    filled.add_results(run_id, [make_result()])
    versions.append(filled.run_versions([run_id])[run_id])
    filled.set_limits(run_id, Unknown(reason="not measured"))
    versions.append(filled.run_versions([run_id])[run_id])
    assert len(set(versions)) == 3
    assert filled.run_versions(["nobody"]) == {}


def test_an_empty_history_has_an_extent_and_a_state(store):
    assert (store.extent().results, marks_of(store), store.recent((), most=1, until=0)) == (0, (), {})
    assert store.state() == store.state()
