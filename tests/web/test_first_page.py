"""Whether anything regressed is to be seen at once, in a real browser."""

import pytest

ROWS = "section[aria-labelledby=runs] tr.one:visible"


@pytest.fixture
def alerted(page, alerted_site):
    """The first page of a history of which something became slower that nobody has looked at."""
    page.goto((alerted_site / "index.html").as_uri())
    return page


@pytest.fixture
def wide(page, wide_site):
    """The first page of forty runs."""
    page.goto((wide_site / "index.html").as_uri())
    return page


def test_the_first_screen_says_what_failed_on_another_machine_and_leads_there(wide):
    assert wide.title() == "✗ pytest-xeonperf"
    assert wide.locator("h1").inner_text().split("\n")[-1] == "Failed on another machine"
    link = wide.locator(".sentence a").first
    assert link.inner_text() == "The newest run on a Xeon, amx_bf16, 2026-06-07"
    assert link.bounding_box()["y"] < 300
    assert "1 of 3 cases red" in wide.locator(".attention li.tone-bad").inner_text()
    link.click()
    wide.wait_for_url("**/run-wide-34.html")


def test_the_first_screen_says_what_became_slower_and_leads_there(alerted):
    link = alerted.locator(".sentence a", has_text="% more time")
    assert link.bounding_box()["y"] < 300
    link.click()
    alerted.wait_for_url("**/alert-*.html")


def test_the_cell_of_a_case_that_became_slower_leads_to_its_alert_and_to_its_trend(alerted):
    cell = alerted.locator(".grid .cell:visible", has=alerted.locator(".slower")).first
    assert "tone-bad" in cell.get_attribute("class")
    assert "slower" in cell.locator(".slower").inner_text()
    hrefs = [each.get_attribute("href") for each in cell.get_by_role("link").all()]
    assert [href.partition("-")[0] for href in hrefs] == ["alert", "case"]


def test_the_navigation_leads_from_page_to_page_and_says_where_one_is(alerted):
    for word, name in (("Alerts", "alerts"), ("Machines", "machines"), ("Overview", "index")):
        alerted.get_by_role("navigation", name="Pages").get_by_role("link", name=word).click()
        alerted.wait_for_url(f"**/{name}.html")
        assert alerted.locator(".ways [aria-current=page]").inner_text() == word


def test_a_page_without_alerts_leads_to_an_empty_list(wide):
    wide.get_by_role("navigation", name="Pages").get_by_role("link", name="Alerts").click()
    assert "No open alerts" in wide.locator("h1").inner_text()


def test_twenty_runs_are_shown_and_the_others_when_somebody_wants_them(wide):
    assert wide.locator(ROWS).count() == 20
    button = wide.get_by_role("button", name="Show the 20 older runs")
    button.focus()
    wide.keyboard.press("Enter")
    assert wide.locator(ROWS).count() == 40
    assert not button.is_visible()
    assert wide.evaluate("document.activeElement.getAttribute('href')") == "run-wide-19.html"


def test_of_what_filters_leave_twenty_runs_are_shown(wide):
    form = wide.get_by_role("form", name="Show only")
    form.get_by_label("machine").select_option(label="a Xeon, amx_bf16")
    assert wide.locator(ROWS).count() == 20
    assert wide.get_by_role("button", name="Show the 10 older runs").is_visible()
    form.get_by_label("machine").select_option(label="another Xeon, avx512_bf16")
    assert wide.locator(ROWS).count() == 10
    assert not wide.get_by_role("button", name="older run").is_visible()


def test_a_shaded_row_goes_with_the_run_above_it(wide):
    shaded = wide.locator("section[aria-labelledby=runs] tr.environment:visible")
    before = shaded.count()
    wide.get_by_role("button", name="older runs").click()
    assert shaded.count() == before == 2
    rows = wide.locator("section[aria-labelledby=runs] tbody tr")
    assert "folded" not in "".join(rows.evaluate_all("(all) => all.map((row) => row.className)"))


def test_another_figure_leaves_what_is_said_of_an_alert_as_it_is(alerted):
    said = alerted.locator(".grid .slower:visible")
    before = said.all_inner_texts()
    assert "\non " in before[0]  # it names its machine, where the figure is of another one
    alerted.get_by_role("form", name="Show only").get_by_label("metric").select_option(label="latency")
    assert said.all_inner_texts() == before
