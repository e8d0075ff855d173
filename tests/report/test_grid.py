from pytest_xeonperf.report.grid import CaseHistory
from pytest_xeonperf.report.newest import ELSEWHERE, MOST_ELSEWHERE
from pytest_xeonperf.report.page_index import index_page
from pytest_xeonperf.report.render import encoded


def made(make, *points, runs=()):
    case = make.case()
    history = CaseHistory(case=case, points=points, latest=make.result(measurement=make.measurement(case=case)))
    return index_page(make.run(id=points[-1].run_id), runs, [history], pages=())


def cells(make, *points, **given):
    return made(make, *points, **given).grid[0].cells[0]


def test_of_other_machines_and_branches_the_newest_result_is_there_for_filters(make):
    points = (
        make.point(3.0, day=1, branch="topic"),
        make.point(3.1, day=2, branch="topic"),
        make.point(3.2, day=3, comparability_class="another"),
        make.point(3.3, day=4),
    )
    found = cells(make, *points)
    assert [(cell.speedup, cell.elsewhere) for cell in found] == [("3.30x", False), ("3.20x", True), ("3.10x", True)]
    assert [cell.stale for cell in found] == ["", "2026-05-03 14:03", "2026-05-02 14:03"]


def test_what_is_elsewhere_does_not_borrow_fidelity_and_limit_of_the_newest(make):
    first, other = cells(make, make.point(day=1, branch="topic"), make.point(day=2))
    assert first.fidelity
    assert other.fidelity == ()


def test_a_trend_elsewhere_ends_with_its_own_result(make):
    points = (make.point(3.0, day=1, branch="topic"), make.point(4.0, day=2))
    _first, other = cells(make, *points)
    assert "first measurement" in other.sparkline.label


def test_many_branches_do_not_make_a_large_page(make):
    points = [make.point(day=day, branch=f"topic-{day}") for day in range(1, 20)]
    assert len(cells(make, *points)) == 1 + ELSEWHERE


def test_a_branch_that_the_filters_offer_has_its_newest_result_on_the_page_however_many_are_newer(make):
    points = [make.point(9.0, day=1)] + [make.point(day=day, branch=f"topic-{day}") for day in range(2, 10)]
    runs = [make.summary(id="2", branch="topic-9"), make.summary(id="1")]
    assert [cell.speedup for cell in cells(make, *points, runs=runs)][1 + ELSEWHERE :] == ["9.00x"]
    many = [make.summary(id=f"{day}", branch=f"topic-{day}") for day in range(1, 28)]
    points = [make.point(day=day, branch=f"topic-{day}") for day in range(1, 28)]
    assert len(cells(make, *points, runs=many)) == 1 + MOST_ELSEWHERE


def test_a_branch_for_every_run_does_not_make_a_large_page_of_many_cases(make):
    points = tuple(
        make.point(3.9 + day / 97, day=day, branch=f"topic-{day}", comparability_class="another" if day == 2 else "one")
        for day in range(1, 28)
    )
    runs = [
        make.summary(id=point.run_id, branch=point.branch, comparability_class=point.comparability_class)
        for point in reversed(points)
    ]
    runs[-2] = make.summary(id="run-02", comparability_class="another", cpu_model="another", branch="topic-2")
    cases = [make.case(workload=f"model-{number}") for number in range(200)]
    histories = [CaseHistory(case=case, points=points, latest=make.result(case=case)) for case in cases]
    page = index_page(make.run(id="run-27"), runs, histories, pages=())
    assert {len(row.cells[0]) for row in page.grid} == {4}
    days = [int(cell.stale[8:10]) for cell in page.grid[0].cells[0] if cell.stale]
    assert days == [26, 25, 2]  # the last one is the other machine's
    assert len(encoded(page)) < 2_000_000


def test_cells_carry_their_machine_and_branch_when_there_is_a_choice(make):
    points = (make.point(day=1, branch="topic"), make.point(day=2))
    runs = [make.summary(id="2"), make.summary(id="1", branch="topic")]
    page = made(make, *points, runs=runs)
    assert [each.name for each in page.filters] == ["branch"]
    assert [cell.tokens for cell in page.grid[0].cells[0]] == ["b0", "b1"]


def test_one_case_on_one_machine_and_branch_asks_nothing(make):
    page = made(make, make.point(), runs=[make.summary()])
    assert page.filters == ()
    assert page.grid[0].cells[0][0].tokens == ""


def test_a_sparkline_marks_where_the_environment_changed(make):
    points = (make.point(3.9, day=1), make.point(4.0, day=2, facts=(("torch", "2.14.0"),)))
    (cell,) = cells(make, *points)
    assert len(cell.sparkline.borders_x) == 1
    assert cell.sparkline.label.endswith("; the environment changed once")
