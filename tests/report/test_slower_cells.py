"""What the grid says of open alerts."""

from pytest_xeonperf.alerts import AlertState
from pytest_xeonperf.report.grid import CaseHistory
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.verdict import Tone


def cells(make, *alerts, points=()):
    points = points or (make.point(),)
    history = CaseHistory(case=make.case(), points=points, latest=make.result())
    runs = [make.summary(), make.summary(id="there", comparability_class="there", cpu_model="an EPYC")]
    page = index_page(make.run(id=points[-1].run_id), runs, [history], pages=(), alerts=alerts)
    return page.grid[0].cells[0]


def test_a_cell_says_how_much_slower_its_case_became_beside_its_own_verdict(make):
    (cell,) = cells(make, make.alert(latency_ratio=1.118))
    (found,) = cell.slower
    assert (found.text, found.href, found.where) == ("11.8 % slower", "alert-3f9a1c0b77de.html", "")
    assert (cell.badge.word, cell.badge.tone, cell.tone) == ("pass", Tone.GOOD, Tone.BAD)


def test_its_tone_is_that_of_what_became_of_the_alert_unless_its_own_is_worse(make):
    assert cells(make, make.alert(state=AlertState.ACKNOWLEDGED))[0].tone is Tone.OPEN
    assert cells(make, make.alert(state=AlertState.FIXED))[0].tone is Tone.GOOD
    crashed = (make.gap(1, "died by SIGILL"),)
    assert cells(make, make.alert(state=AlertState.ACKNOWLEDGED), points=crashed)[0].tone is Tone.BAD


def test_alerts_of_other_cases_are_not_in_it(make):
    assert cells(make, make.alert(case=make.case(variant="woq_int4")))[0].slower == ()


def test_an_alert_of_another_machine_names_it_and_is_not_in_the_cells_of_a_third(make):
    there = make.alert(comparability_class="there")
    points = (make.point(day=1, comparability_class="there"), make.point(day=2, comparability_class="third"))
    first, other, *_ = cells(make, there, points=(*points, make.point(day=3)))
    assert [found.where for found in first.slower] == ["an EPYC, amx_bf16"]
    assert other.slower == ()


def test_an_alert_stands_in_the_cell_of_its_own_machine_without_its_name(make):
    points = (make.point(day=1, comparability_class="there"), make.point(day=2))
    _first, other = cells(make, make.alert(comparability_class="there"), points=points)
    assert [found.where for found in other.slower] == [""]


def test_cells_name_their_machine_only_where_the_grid_has_several(make):
    assert cells(make)[0].machine == ""
    mixed = cells(make, points=(make.point(day=1, comparability_class="there"), make.point(day=2)))
    assert [cell.machine for cell in mixed] == ["INTEL(R) XEON(R) PLATINUM 8581C, amx_bf16", "an EPYC, amx_bf16"]


def test_many_alerts_do_not_make_a_large_cell(make):
    many = [make.alert(id=f"a{number}", latency_ratio=1 + number / 10) for number in range(1, 9)]
    assert [found.text for found in cells(make, *many)[0].slower] == ["80.0 % slower", "70.0 % slower"]
