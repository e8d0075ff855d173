"""axe-core finds nothing to complain about, on any page, in either scheme."""

from axe_playwright_python.sync_playwright import Axe

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def violations(page, rules=RULES):
    found = Axe().run(page, options=rules)
    return [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found.response["violations"]]


def in_both_schemes(page):
    """What is wrong in light, and what of it is hard to read in dark: nothing else depends on the scheme."""
    wrong = violations(page)
    page.emulate_media(color_scheme="dark")
    return wrong + violations(page, CONTRAST)


def test_the_first_page(page, wide_site):
    page.goto((wide_site / "index.html").as_uri() + "#machine=another Xeon, avx512_bf16")
    assert page.locator("section[aria-labelledby=runs] tr.one:visible").count() == 10
    assert in_both_schemes(page) == []


def test_the_first_page_of_which_nothing_is_left(page, wide_site):
    page.goto((wide_site / "index.html").as_uri() + "#workload=llama-2-7b&variant=woq_int8&branch=topic/<b>fuse</b>")
    assert page.locator(".nothing").first.is_visible()
    assert in_both_schemes(page) == []


def test_the_page_of_a_run(page, site):
    page.goto((site / "run-run-11.html").as_uri())
    assert in_both_schemes(page) == []


def test_a_page_with_two_charts(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    opened_chart(page, 1)
    assert violations(page) == []


def test_a_chart_with_everything_open(page, chart):
    chart.press("l", "d", "Home", " ", "End", " ", "ArrowLeft")
    assert "against" in chart.tip
    assert in_both_schemes(page) == []
