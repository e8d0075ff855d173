from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.records import Outcome, Unknown
from pytest_xeonperf.report.grid import CaseHistory
from pytest_xeonperf.report.page_index import ALERTS_NAMED, index_page
from pytest_xeonperf.report.render import render


def history(make, *points, **case):
    mine = make.case(**case)
    latest = make.result(case=mine, measurement=make.measurement(case=mine))
    return CaseHistory(case=mine, points=points or (make.point(),), latest=latest)


def page(make, run, histories=(), runs=()):
    return index_page(run, runs, histories, pages={run.id})


def test_what_needs_attention_is_red_before_undecided_and_never_green(make):
    run = make.run(make.result(Outcome.INCONCLUSIVE), make.result(), make.result(Outcome.CRASHED))
    assert [item.badge.word for item in page(make, run).attention] == ["crashed", "inconclusive"]


def test_two_tests_of_one_case_lead_to_two_places_on_the_page_of_the_run(make):
    run = make.run(make.result(Outcome.CRASHED), make.result(Outcome.CRASHED))
    first, second = page(make, run).attention
    assert second.href == f"{first.href}-2"


def test_columns_are_the_ladder_of_the_shipped_variants_then_the_others(make):
    names = ("zebra", "woq_int4", "compiled_bf16", "antelope")
    made = page(make, make.run(), [history(make, variant=name) for name in names])
    assert made.variants == ("compiled_bf16", "woq_int4", "antelope", "zebra")


def test_a_row_names_its_usual_baseline_and_each_cell_its_own(make):
    made = page(
        make,
        make.run(),
        [history(make), history(make, variant="sdpa_bf16"), history(make, variant="woq_int4", over="eager_bf16")],
    )
    (row,) = made.grid
    assert row.over == "eager_fp32"
    assert [cell.over for cells in row.cells for cell in cells] == ["eager_fp32", "eager_fp32", "eager_bf16"]


def test_one_variant_over_two_baselines_has_both_in_its_cell(make):
    made = page(make, make.run(), [history(make), history(make, over="eager_bf16")])
    assert [len(cells) for cells in made.grid[0].cells] == [2]


def test_a_cell_shows_speed_up_limit_fidelity_and_verdict_of_the_newest_result(make):
    points = (make.point(3.0, day=1), make.point(3.95, day=2, outcome=Outcome.BELOW_FLOOR))
    ((cell,),) = page(make, make.run(), [history(make, *points)]).grid[0].cells
    assert (cell.speedup, cell.badge.word) == ("3.95x", "below floor")
    assert (cell.share.value, cell.share.note) == ("71 %", "of GEMM peak")
    assert [(score.name, score.value) for score in cell.fidelity] == [("cosine", "0.99971")]


def test_a_sparkline_joins_only_runs_that_can_be_compared(make):
    points = (make.point(9.9, day=1, comparability_class="another"), make.point(3.9, day=2), make.point(4.0, day=3))
    ((cell, _elsewhere),) = page(make, make.run(), [history(make, *points)]).grid[0].cells
    assert cell.sparkline.label.startswith("speed-up over 2 runs: now 4.00x, between 3.90x")


def test_a_cell_that_was_not_measured_in_this_run_says_when_it_was(make):
    ((cell,),) = page(make, make.run(id="run-09"), [history(make, make.point(day=3))]).grid[0].cells
    assert cell.stale == "2026-05-03 14:03"


def test_a_crash_leaves_a_reason_where_the_figure_would_be(make):
    ((cell,),) = page(make, make.run(), [history(make, make.gap(1, "died by SIGILL"))]).grid[0].cells
    assert (cell.speedup, cell.gap) == ("", "died by SIGILL")


def test_only_runs_that_have_a_page_are_linked(make):
    run = make.run()
    old = make.summary(id="old", sha=Unknown(reason="no git"), outcomes=((Outcome.CRASHED, 2),))
    here, there = page(make, run, runs=[make.summary(), old]).runs
    assert (here.current, there.current) == (True, False)
    assert here.href
    assert there.href == ""
    assert there.badge.word == "failed"


def alone_history(make, *points):
    return CaseHistory(case=make.alone().case, points=points or (make.alone_point(),), latest=make.alone())


def test_what_is_timed_alone_stands_beside_the_grid_and_not_in_it(make):
    made = page(make, make.run(), [history(make), alone_history(make)])
    assert (len(made.grid), made.variants) == (1, ("compiled_bf16",))
    (row,) = made.alone
    assert (row.name, row.group, row.latency) == ("tests/test_fft.py::test_fft", "fft", "1.25 ms")


def test_the_sparkline_of_what_is_timed_alone_is_one_of_latencies(make):
    points = (make.alone_point(1_000_000), make.alone_point(1_100_000, day=2))
    (row,) = page(make, make.run(), [alone_history(make, *points)]).alone
    assert row.sparkline.label == "latency over 2 runs: now 1.10 ms, between 1.00 ms and 1.10 ms"
    assert row.stale == "2026-05-02 14:03"


def test_a_latency_that_needs_attention_is_found_as_one(make):
    slow = make.alone(verdict=make.verdict(Outcome.BELOW_FLOOR))
    made = page(make, make.run(slow))
    (item,) = made.attention
    assert (item.found, item.label) == ("1.25 ms", "tests/test_fft.py::test_fft, timed alone")
    assert made.banner.sentence.startswith("tests/test_fft.py::test_fft failed")


def test_what_became_slower_needs_attention_too_red_before_undecided(make):
    run = make.run(make.result(Outcome.INCONCLUSIVE), make.result(Outcome.CRASHED))
    alerts = [make.alert(), make.alert(id="known", state=AlertState.ACKNOWLEDGED, latency_ratio=1.2, assignee="ann")]
    made = index_page(run, [], [], pages=(), alerts=[*alerts, make.alert(id="over", state=AlertState.FIXED)])
    assert [item.badge.word for item in made.attention] == ["crashed", "10.0 % slower", "inconclusive", "20.0 % slower"]
    new, known = made.attention[1], made.attention[3]
    assert (new.href, new.found) == ("alert-3f9a1c0b77de.html", "20.0 ms → 22.0 ms")
    assert new.reason == "since 2026-05-01, between aaaaaaaaaa..bbbbbbbbbb; new, assigned to nobody"
    assert known.reason.endswith("; acknowledged, assigned to ann")
    assert (made.open_alerts, made.more_alerts) == (2, "")


def test_of_many_alerts_the_worst_are_named_and_the_others_counted(make):
    alerts = [make.alert(id=f"a{number}", latency_ratio=1 + number / 100) for number in range(1, 14)]
    made = index_page(make.run(), [], [], pages=(), alerts=alerts)
    assert len(made.attention) == ALERTS_NAMED
    assert made.attention[0].badge.word == "13.0 % slower"
    assert made.more_alerts == "3 more open alerts"
    assert '<a href="alerts.html">3 more open alerts</a>' in render(made)


def test_the_verdict_and_the_icon_are_not_green_while_something_is_slower(make):
    html = render(index_page(make.run(make.result()), [], [], pages=(), alerts=[make.alert()]))
    assert "<title>▼ pytest-xeonperf</title>" in html
    assert "fill='%23d55e00'" in html
    assert "Slower than before</h1>" in html
