"""Pages on paper, in a real browser."""

import re
from dataclasses import replace

import pytest

from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store

PAPER = 718
"""CSS pixels between the margins of A4, of a centimetre each."""

CUT_OFF = f"""() => [...document.querySelectorAll("canvas, svg, th, td, pre, .cell .figure, .verdict")]
    .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > {PAPER} + 1)
    .map((each) => each.outerHTML.slice(0, 200))"""


@pytest.fixture
def on_paper(page):
    """Opens a page, which is then laid out for paper: as when it is printed, no script makes its charts narrower."""
    page.add_init_script("ResizeObserver.prototype.observe = () => {};")

    def opened(path):
        page.goto(path.as_uri())
        page.emulate_media(media="print")
        page.set_viewport_size({"width": PAPER, "height": 1000})
        return page

    return opened


@pytest.fixture(scope="module")
def many_columns(wide_database, tmp_path_factory):
    """The first page of a run of eight variants."""
    folder = tmp_path_factory.mktemp("columns")
    with open_store(str(wide_database), readonly=True) as store:
        run = store.run("wide-38")
    first = run.results[0]
    cases = [replace(first.case, variant=f"variant_number_{number}") for number in range(8)]
    results = [replace(first, case=case, measurement=replace(first.measurement, case=case)) for case in cases]
    with open_store(str(folder / "xeonperf.db")) as store:
        store.add_run(replace(run, results=tuple(results)))
        return write_site(store, folder / "reports", run_id=run.id)


@pytest.fixture(params=["first page", "case", "run", "first page of many variants"])
def path(request, alerted_site, wide_case_page, many_columns):
    return {
        "first page": alerted_site / "index.html",
        "case": wide_case_page,
        "run": wide_case_page.parent / "run-wide-38.html",
        "first page of many variants": many_columns,
    }[request.param]


def test_nothing_is_cut_off_on_paper(on_paper, path):
    page = on_paper(path)
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
    for row in page.locator("table:not(details table) > tbody > tr:last-child:not([hidden])").all():
        assert row.is_visible()


def test_a_printed_chart_keeps_its_shape_and_stands_on_one_sheet(on_paper, wide_case_page):
    page = on_paper(wide_case_page)
    for canvas in page.locator(".chart canvas").all():
        drawn = canvas.evaluate("(canvas) => canvas.width / canvas.height")
        box = canvas.bounding_box()
        assert box["width"] / box["height"] == pytest.approx(drawn, rel=0.02)
        assert canvas.evaluate("(canvas) => canvas.parentElement.offsetHeight") == pytest.approx(box["height"], abs=1)
    assert page.locator("figure").first.evaluate("(figure) => getComputedStyle(figure).breakInside") == "avoid"


def test_runs_that_nobody_has_asked_for_are_printed_too(on_paper, wide_site):
    page = on_paper(wide_site / "index.html")
    assert page.locator("section[aria-labelledby=runs] tr.one:visible").count() == 40


def test_the_legend_of_a_chart_has_its_colours_on_paper(on_paper, wide_case_page):
    page = on_paper(wide_case_page)
    adjusted = "(all) => all.map((key) => getComputedStyle(key).printColorAdjust)"
    assert set(page.locator(".key").evaluate_all(adjusted)) == {"exact"}


@pytest.mark.parametrize(("name", "least"), [("index.html", 2), ("case", 3)])
def test_a_page_that_is_printed_goes_on_over_as_many_sheets_as_it_needs(page, wide_site, wide_case_page, name, least):
    page.goto((wide_case_page if name == "case" else wide_site / name).as_uri())
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= least
