from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report import case_series
from pytest_xeonperf.report.page_case import case_page
from pytest_xeonperf.report.render import encoded, render
from pytest_xeonperf.report.slower import KNOWN, SLOWER


def page(make, *points, machines=None):
    return case_page(make.case(), points, machines=machines or {}, pages={"run-01"})


def test_the_newest_point_gives_the_verdict(make):
    made = page(make, make.point(4.0, day=1), make.point(2.5, day=2, outcome=Outcome.BELOW_FLOOR, reason="too slow"))
    assert made.banner.badge.word == "below floor"
    assert made.banner.sentence == "2.50x [2.45, 2.55]; too slow"


def test_machines_that_cannot_be_compared_have_charts_of_their_own_newest_first(make):
    other = {"comparability_class": "abc", "facts": ()}
    points = (make.point(day=1), make.point(day=2, **other), make.point(day=3), make.point(day=4, **other))
    made = page(make, *points, machines={"abc": "AMD EPYC, avx512"})
    assert [(series.heading, len(series.rows)) for series in made.series] == [
        ("AMD EPYC, avx512", 2),
        ("another machine", 2),
    ]
    assert not any(row.environment for series in made.series for row in series.rows)


def test_the_table_is_newest_first_and_has_a_row_for_every_spot_of_the_chart(make, draw):
    (series,) = page(make, make.point(4.0, day=1), make.gap(2, "died"), make.point(4.1, day=3)).series
    assert [row.date[:10] for row in series.rows] == ["2026-05-03", "2026-05-02", "2026-05-01"]
    for row, spot in zip(reversed(series.rows), draw(series.chart).spots, strict=True):
        assert f"{row.speedup} {row.interval}".strip() == spot["speedup"]
        assert (row.candidate, row.baseline, row.gap) == (spot["candidate"], spot["baseline"], spot["gap"])


def test_the_table_has_the_newest_runs_and_the_chart_has_all(make, monkeypatch):
    monkeypatch.setattr(case_series, "ROWS", 2)
    (series,) = page(make, *(make.point(day=day) for day in (1, 2, 3))).series
    assert [row.date[:10] for row in series.rows] == ["2026-05-03", "2026-05-02"]
    assert series.older == 1
    assert series.chart.trend["count"] == 3


def test_a_change_is_counted_from_the_last_measurement_across_a_gap(make):
    newest, gap, oldest = page(make, make.point(4.0, day=1), make.gap(2, "died"), make.point(3.6, day=3)).series[0].rows
    assert newest.change == "\N{MINUS SIGN}10.0 %"
    assert newest.moved == "candidate latency +11.1 %, baseline latency ±0.0 %"
    assert isinstance(gap.change, Unknown)
    assert oldest.change == Unknown(reason="first measurement")


def test_a_change_of_the_environment_stands_with_the_first_run_that_has_it(make):
    newer = (("kernel", "6.1.0"), ("torch", "2.14.0"))
    rows = page(make, make.point(day=1), make.point(day=2, facts=newer)).series[0].rows
    ((change,), nothing) = (row.environment for row in rows)
    assert (change.name, change.before, change.after) == ("torch", "2.13.0", "2.14.0")
    assert nothing == ()


def test_a_case_without_points_has_a_page_that_says_so(make):
    made = page(make)
    assert made.series == ()
    assert made.banner.badge.word == "nothing measured"


def test_what_is_timed_alone_shows_latencies_and_how_they_changed(make):
    case = make.alone().case
    points = (make.alone_point(1_000_000), make.gap(2, "died"), make.alone_point(1_100_000, day=3))
    made = case_page(case, points, machines={}, pages=())
    assert made.banner.sentence == "1.10 ms"
    assert made.title == "tests/test_fft.py::test_fft"
    newest, gap, oldest = made.series[0].rows
    assert (newest.candidate, newest.change, newest.speedup) == ("1.10 ms", "+10.0 %", "")
    assert (newest.gap, gap.gap, oldest.gap) == ("", "died", "")
    assert oldest.change == Unknown(reason="first measurement")


def test_reasons_of_crashes_that_all_differ_do_not_make_a_large_page(make):
    traces = [f"{number}: {'a frame of the stack; ' * 100}" for number in range(2000)]
    made = page(make, *(make.gap(number % 28 + 1, trace) for number, trace in enumerate(traces)))
    newest = made.series[0].rows[0].gap
    assert (len(newest), newest[-1]) == (240, "…")
    assert len(encoded(made)) < 2_000_000


def test_a_reason_that_is_empty_leaves_no_semicolon(make):
    assert page(make, make.point(4.0, reason="")).banner.sentence == "4.00x [3.92, 4.08]"


def test_a_level_is_said_in_the_table_and_in_the_chart_alike(make, draw):
    points = [make.point(4.0 + 0.01 * (day % 3) - (0.4 if day > 14 else 0), day=day) for day in range(1, 29)]
    (series,) = page(make, *points).series
    in_table = [row.level for row in reversed(series.rows)]
    assert [spot["level"] for spot in draw(series.chart).spots] == in_table
    assert sum(map(bool, in_table)) == 1
    assert series.levels
    assert not page(make, make.point()).series[0].levels


def test_a_chart_knows_the_page_that_compares_where_there_is_one(make):
    assert page(make, make.point()).series[0].chart.compare == ""
    served = case_page(make.case(), [make.point()], machines={}, pages=(), compare="compare.html")
    assert served.series[0].chart.compare == "compare.html"


def alerted(make, *points, **changes):
    return case_page(make.case(), points, machines={}, pages=(), alerts=[make.alert(**changes)]).banner


def test_an_open_alert_is_said_before_the_newest_run(make):
    made = alerted(make, make.point(4.0))
    assert made.badge == SLOWER
    assert made.sentence == (
        "Takes 10.0 % more time since 2026-05-01 (commit bbbbbbbbbb). Newest run: 4.00x [3.92, 4.08]; clears its floor"
    )
    assert made.pieces[0].href == "alert-3f9a1c0b77de.html"
    assert alerted(make, make.point(4.0), state=AlertState.ACKNOWLEDGED).badge == KNOWN
    assert alerted(make, make.point(4.0), state=AlertState.FIXED).badge.word == "pass"


def test_a_newest_run_that_is_red_keeps_its_word_and_names_the_alert(make):
    made = alerted(make, make.point(2.5, outcome=Outcome.BELOW_FLOOR, reason="too slow"))
    assert made.badge.word == "below floor"
    assert made.sentence.startswith("Newest run: 2.50x [2.45, 2.55]; too slow; takes 10.0 % more time since")


def test_counts_over_several_machines_say_so(make):
    points = (make.point(day=1, comparability_class="abc"), make.point(day=2))
    made = page(make, *points, machines={"abc": "an EPYC"})
    assert made.counted == "on all 2 classes of machine together"
    assert made.banner.sentence.startswith("Newest run on another machine: ")
    assert '<li class="note">runs on all 2 classes of machine together</li>' in render(made)
    assert page(make, make.point()).counted == ""
