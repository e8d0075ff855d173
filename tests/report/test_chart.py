import json
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from pytest_xeonperf.records import NOT_RECORDED, UNBOUNDED_RATIO, Estimate
from pytest_xeonperf.report.chart import chart


def drawn(make, points, pages=frozenset(), **case):
    return chart("trend-0", points, case=make.case(**case), pages=pages, levels={})


def test_lines_have_a_value_for_every_run_and_none_where_nothing_was_measured(make):
    made = drawn(make, [make.point(4.0, day=1), make.gap(2, "died by SIGILL"), make.point(4.1, day=3)])
    assert made.speedup.lines[0] == (4.0, None, 4.1)
    assert made.candidate.lines[0][1] is None
    assert made.spots[1].gap == "died by SIGILL"
    assert made.spots[1].speedup == ""


def test_a_spot_says_what_a_person_asks_for(make):
    (spot,) = drawn(make, [make.point(4.0, day=3)]).spots
    assert (spot.sha, spot.date, spot.branch) == ("039a1c0b77", "2026-05-03 14:03 UTC", "main")
    assert (spot.subject, spot.author) == ("Fuse", "Ann")
    assert spot.speedup == "4.00x [3.92, 4.08]"
    assert (spot.candidate, spot.baseline) == ("400 ms", "1.60 s")


def test_an_author_that_was_not_recorded_is_left_out(make):
    (spot,) = drawn(make, [make.point(author=NOT_RECORDED)]).spots
    assert spot.author == ""


def test_an_environment_that_changed_is_said_at_the_first_run_that_has_it(make):
    newer = (("kernel", "6.1.0"), ("torch", "2.14.0"))
    spots = drawn(make, [make.point(day=1), make.point(day=2, facts=newer), make.point(day=3, facts=newer)]).spots
    assert [spot.changes for spot in spots] == [(), ("torch: 2.13.0 → 2.14.0",), ()]


def test_only_runs_with_a_page_can_be_opened(make):
    spots = drawn(make, [make.point(day=1), make.point(day=2)], pages={"run-02"}).spots
    assert [spot.href for spot in spots] == ["", "run-run-02.html"]


def test_a_new_level_is_said_at_the_first_run_on_it(make):
    points = [make.point(day=1), make.point(day=2)]
    made = chart("trend-0", points, case=make.case(), pages=(), levels={1: "latency +5.0 %"})
    assert [spot.level for spot in made.spots] == ["", "latency +5.0 %"]


def test_latencies_of_one_side_share_a_unit_that_its_label_names(make):
    made = drawn(make, [make.point(4.0)])
    assert (made.candidate.label, made.candidate.lines[0][0]) == ("compiled_bf16, ms", 400.0)
    assert (made.baseline.label, made.baseline.lines[0][0]) == ("eager_fp32, s", 1.6)


def test_an_interval_that_nothing_bounds_does_not_stretch_the_axis(make):
    unbounded = Estimate(ratio=4.0, low_ratio=0.0, high_ratio=UNBOUNDED_RATIO, confidence=0.95)
    panel = drawn(make, [make.point(4.0, day=1), make.point(day=2, speedup=unbounded)]).speedup
    assert panel.span[1] < 7
    assert panel.lines[1][1] == 0
    assert panel.lines[2][1] == panel.span[1]


def test_what_is_timed_alone_has_one_plot_of_its_latency_and_no_gaps(make):
    made = drawn(make, [make.alone_point(1_250_000), make.alone_point(1_300_000, day=2)], over="nothing")
    assert made.panels == ("candidate",)
    assert (made.candidate.label, made.candidate.lines) == ("latency, ms", ((1.25, 1.3),))
    assert [(spot.speedup, spot.baseline, spot.candidate, spot.gap) for spot in made.spots] == [
        ("", "", "1.25 ms", ""),
        ("", "", "1.30 ms", ""),
    ]


RATIOS = st.floats(min_value=1e-3, max_value=1e5)


@given(st.lists(st.tuples(RATIOS, RATIOS), min_size=1, max_size=20))
def test_ratios_and_floors_lie_on_the_axis_and_the_data_is_strict_json(make, pairs):
    made = drawn(make, [make.point(ratio, floor_ratio=floor) for ratio, floor in pairs])
    low, high = made.speedup.span
    assert low < high
    assert all(low <= ratio <= high and low <= floor <= high for ratio, floor in pairs)
    json.dumps(asdict(made), allow_nan=False)
