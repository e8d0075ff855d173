import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.records import NOT_RECORDED, UNBOUNDED_RATIO, Estimate
from pytest_xeonperf.report.page_case import case_page


@pytest.fixture(scope="session")
def drawn(make, draw):
    """What is drawn of points; keywords change the case."""

    def of(points, pages=frozenset(), **case):
        (series,) = case_page(make.case(**case), points, machines={}, pages=pages).series
        return draw(series.chart)

    return of


def test_lines_have_a_value_for_every_run_and_none_where_nothing_was_measured(make, drawn):
    made = drawn([make.point(4.0, day=1), make.gap(2, "died by SIGILL"), make.point(4.25, day=3)])
    assert made.lines["speedup"][0] == [4.0, None, 4.25]
    assert made.lines["candidate"][0][1] is None
    assert made.spots[1]["gap"] == "died by SIGILL"
    assert made.spots[1]["speedup"] == ""


def test_a_spot_says_what_a_person_asks_for(make, drawn):
    (spot,) = drawn([make.point(4.0, day=3)]).spots
    assert (spot["sha"], spot["date"], spot["branch"]) == ("039a1c0b77", "2026-05-03 14:03 UTC", "main")
    assert (spot["subject"], spot["author"]) == ("Fuse", "Ann")
    assert spot["speedup"] == "4.00x [3.92, 4.08]"
    assert (spot["candidate"], spot["baseline"], spot["floor"]) == ("400 ms", "1.60 s", "2.91x")


def test_an_author_that_was_not_recorded_is_left_out(make, drawn):
    (spot,) = drawn([make.point(author=NOT_RECORDED)]).spots
    assert spot["author"] == ""


def test_an_environment_that_changed_is_said_at_the_first_run_that_has_it(make, drawn):
    newer = (("kernel", "6.1.0"), ("torch", "2.14.0"))
    spots = drawn([make.point(day=1), make.point(day=2, facts=newer), make.point(day=3, facts=newer)]).spots
    assert [spot["changes"] for spot in spots] == [[], ["torch: 2.13.0 → 2.14.0"], []]


def test_only_runs_with_a_page_can_be_opened(make, drawn):
    spots = drawn([make.point(day=1), make.point(day=2)], pages={"run-02"}).spots
    assert [spot["href"] for spot in spots] == ["", "run-run-02.html"]


def test_a_new_level_is_said_at_the_first_run_on_it(make, drawn):
    slower = [make.point(4.0 + 0.01 * (day % 3) - (0.4 if day > 14 else 0), day=day) for day in range(1, 29)]
    made = drawn(slower)
    assert [index for index, spot in enumerate(made.spots) if spot["level"]] == [14]
    assert made.spots[14]["level"] == made.chart.trend["levels"]["14"]


def test_latencies_of_one_side_share_a_unit_that_its_label_names(make, drawn):
    made = drawn([make.point(4.0)])
    assert (made.chart.candidate.label, made.lines["candidate"]) == ("compiled_bf16, ms", [[400.0]])
    assert (made.chart.baseline.label, made.lines["baseline"]) == ("eager_fp32, s", [[1.6]])


def test_an_interval_that_nothing_bounds_does_not_stretch_the_axis(make, drawn):
    unbounded = Estimate(ratio=4.0, low_ratio=0.0, high_ratio=UNBOUNDED_RATIO, confidence=0.95)
    made = drawn([make.point(4.0, day=1), make.point(day=2, speedup=unbounded)])
    span = made.chart.speedup.span
    assert span[1] < 7
    assert made.lines["speedup"][1][1] == 0
    assert made.lines["speedup"][2][1] == span[1]


def test_a_long_subject_is_cut_there_are_thousands_of_them(make, drawn):
    (spot,) = drawn([make.point(subject="x" * 500)]).spots
    assert spot["subject"] == "x" * 69 + "…"


def test_what_is_timed_alone_has_one_plot_of_its_latency_and_no_gaps(make, drawn):
    made = drawn([make.alone_point(1_250_000), make.alone_point(1_300_000, day=2)], over="nothing")
    assert made.chart.panels == ("candidate",)
    assert (made.chart.candidate.label, made.lines["candidate"]) == ("latency, ms", [[1.25, 1.3]])
    assert [(spot["speedup"], spot["baseline"], spot["candidate"], spot["gap"]) for spot in made.spots] == [
        ("", "", "1.25 ms", ""),
        ("", "", "1.30 ms", ""),
    ]


RATIOS = st.floats(min_value=1e-3, max_value=1e5)


@given(st.lists(st.tuples(RATIOS, RATIOS), min_size=1, max_size=20))
def test_ratios_and_floors_lie_on_the_axis_and_the_data_is_strict_json(make, drawn, pairs):
    made = drawn([make.point(ratio, floor_ratio=floor) for ratio, floor in pairs])
    low, high = made.chart.speedup.span
    assert low < high
    for line in (made.lines["speedup"][0], made.lines["speedup"][3]):
        assert all(low <= value <= high for value in line)
    json.dumps(made.chart.data, allow_nan=False)
