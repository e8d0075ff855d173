from dataclasses import replace

from pytest_xeonperf.report.page_case import case_page, trends_of

NEWER = (("kernel", "6.1.0"), ("torch", "2.14.0"))


def level_changes(make, points):
    """By index, what the trend of these points says of its levels, each of a run of its own."""
    return placed_changes(make, enumerate(points))


def placed_changes(make, placed):
    trends = trends_of(make.case(), placed)
    for each in trends.values():
        each.settle()
    return {index: told for each in trends.values() for index, told in each.levels.items()}


def trend(make, *levels, **changes):
    """(runs, nanoseconds) pairs in a row, each run a little off its level."""
    points = []
    for runs, level_ns in levels:
        for _ in range(runs):
            off = 1 + 0.004 * ((len(points) * 7) % 5 - 2)
            point = make.point(4.0, day=1 + len(points) % 28, candidate_median_ns=round(level_ns * off), **changes)
            points.append(point)
    return points


def test_a_new_level_is_told_at_its_first_run(make):
    found = level_changes(make, trend(make, (20, 20_000_000), (12, 22_000_000)))
    assert found == {20: "latency +10.0 %, from 20.0 ms to 22.0 ms"}


def test_another_environment_explains_a_new_level(make):
    points = trend(make, (20, 20_000_000)) + trend(make, (12, 22_000_000), facts=NEWER, fingerprint="newer")
    assert level_changes(make, points) == {}


def test_environments_that_alternate_have_levels_of_their_own(make):
    ours, theirs = trend(make, (20, 20_000_000), (12, 22_000_000)), trend(make, (32, 30_000_000), fingerprint="theirs")
    points = [point for pair in zip(ours, theirs, strict=True) for point in pair]
    assert list(level_changes(make, points)) == [40]


def test_what_several_tests_measured_in_a_run_is_one_point(make):
    points = trend(make, (20, 20_000_000), (12, 22_000_000))
    copies = [(place, point) for place, point in enumerate(points) for _ in range(5)]
    assert placed_changes(make, copies) == {100: level_changes(make, points)[20]}
    steady = [
        replace(point, candidate_median_ns=20_000_000 + 40_000 * (index * index % 7))
        for index, point in enumerate(trend(make, (32, 20_000_000)))
    ]
    copies = [(place, point) for place, point in enumerate(steady) for _ in range(5)]
    assert placed_changes(make, copies) == {}
    assert placed_changes(make, list(enumerate(point for _, point in copies)))


def test_gaps_are_passed_over(make):
    points = trend(make, (20, 20_000_000), (12, 22_000_000))
    points[5:5] = [make.gap(6, "died")] * 3
    assert list(level_changes(make, points)) == [23]


def test_the_page_marks_the_run(make):
    points = trend(make, (20, 20_000_000), (12, 22_000_000))
    (series,) = case_page(make.case(), points, machines={}, pages=()).series
    assert [index for index, row in enumerate(reversed(series.rows)) if row.level] == [20]


def test_no_runs_have_no_levels(make):
    assert level_changes(make, []) == {}
