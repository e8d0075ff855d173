import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

COMMITTED = Path(__file__).parents[2] / "reports" / "league" / "league.json"
points = st.lists(st.integers(0, 30), max_size=6, unique=True)


@pytest.fixture(scope="session")
def real(module):
    return module("real")


@pytest.fixture(scope="session")
def detectors(module):
    return module("detectors")


def most_pairs(stated, found, tolerance):
    """The number of pairs when every way of pairing is tried."""
    if not stated:
        return 0
    first, rest = stated[0], stated[1:]
    ways = [1 + most_pairs(rest, found - {each}, tolerance) for each in found if abs(each - first) <= tolerance]
    return max([most_pairs(rest, found, tolerance), *ways])


@given(stated=points, found=points, tolerance=st.integers(0, 4))
def test_no_pairing_has_more_pairs_within_the_tolerance(real, stated, found, tolerance):
    pairs = real.matched(stated, found, tolerance)

    assert len(pairs) == most_pairs(stated, frozenset(found), tolerance)
    assert all(abs(left - right) <= tolerance for left, right in pairs)
    assert (
        len({left for left, _ in pairs} & set(stated)) == len({right for _, right in pairs} & set(found)) == len(pairs)
    )


def test_a_second_finding_at_a_stated_change_is_one_more(real):
    series = real.Series(name="made", values=(1.0,) * 100, stated=(20, 60))

    assert real.agreement(series, [40, 22, 19]) == {
        "points": 100,
        "stated": 2,
        "found": 1,
        "others": 2,
        "run_length": 50.0,
        "run_is_longer": False,
        "found_at": [19, 22, 40],
        "missed_at": [60],
        "others_at": [22, 40],
    }


def test_without_another_finding_the_run_is_longer_than_the_series(real):
    agreed = real.agreement(real.Series(name="made", values=(1.0,) * 100, stated=(20,)), [20])

    assert (agreed["run_length"], agreed["run_is_longer"]) == (100, True)


def test_together_a_run_is_of_the_points_of_all_series(real):
    calm = real.agreement(real.Series(name="calm", values=(1.0,) * 100, stated=(20,)), [20])
    wild = real.agreement(real.Series(name="wild", values=(1.0,) * 50, stated=(20,)), [5, 35])

    assert real.total([calm, wild]) == {
        "points": 150,
        "stated": 2,
        "found": 1,
        "others": 2,
        "run_length": 75.0,
        "run_is_longer": False,
    }


def test_what_only_the_same_maker_reports_is_not_shared(real):
    series = real.Series(name="made", values=(1.0,) * 100, stated=(20,))
    found = {"ours": [40, 60], "theirs": [20, 42], "theirs (its source)": [60, 80], "theirs again": [80]}
    rows = {"made": {name: real.agreement(series, at) for name, at in found.items()}}

    assert {name: each["shared"] for name, each in real.shared(rows).items()} == {
        "ours": 2,
        "theirs": 1,
        "theirs (its source)": 1,
        "theirs again": 0,
    }


def test_a_stated_change_is_at_the_first_point_of_its_time(real, tmp_path):
    made = {"perfherder_change_timestamps": [30, 20], "timestamp_s": [10, 20, 20, 30], "value": [1, 2, 3.5, 4]}
    (tmp_path / "made.json").write_text(json.dumps(made), encoding="utf-8")

    assert real.perfherder_series(tmp_path) == [
        real.Series(name="made", values=(1.0, 2.0, 3.5, 4.0), stated=(1, 3)),
    ]


def test_every_series_is_there_with_what_is_stated(real):
    assert {series.name: (len(series.values), series.stated) for series in real.perfherder_series()} == {
        "a11y": (948, (152, 882)),
        "runs1": (128, (111,)),
        "runs2": (1570, (899, 972, 1551)),
        "runs3": (150, (24, 98)),
        "runs4": (5133, (5010,)),
        "runs5": (217, ()),
        "tp5rss": (1204, (995, 1167, 1178)),
    }
    settings = real.tigerbeetle()
    assert [len(each.series.stated) for each in settings] == [2, 2, 5, 4, 70, 35, 14, 11, 8, 5]
    assert {(len(each.series.values), each.window) for each in settings} == {(365, 30)}


def test_perfherder_as_in_its_source_marks_just_what_its_tests_expect(real, detectors):
    found = {series.name: tuple(detectors.perfherder_source(series.values)) for series in real.perfherder_series()}

    assert found == {series.name: series.stated for series in real.perfherder_series()}


@pytest.mark.parametrize(
    "name", ["xeonperf", "Perfherder's t > 7 (its documentation)", "Perfherder's detector (its source)"]
)
def test_the_published_agreement_is_that_of_the_code(real, detectors, name):
    published = json.loads(COMMITTED.read_text(encoding="utf-8"))["real"]["perfherder"]

    for series in real.perfherder_series():
        assert real.agreement(series, detectors.DETECTORS[name](series.values)) == published[series.name][name]
