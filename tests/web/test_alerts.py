"""Alerts in the chart of a case, in a real browser."""

import re

import pytest


@pytest.fixture
def alerted(page, alerted_site, opened_chart):
    """The chart with alerts of one case, and the indices of the runs where they stand."""
    (name,) = {
        path.name for path in alerted_site.glob("case-*.html") if '<h2 id="alerts">Open' in path.read_text("utf-8")
    } or pytest.fail("no case has an open alert")
    page.goto((alerted_site / name).as_uri())
    charts = [opened_chart(page, number) for number in range(page.locator(".chart").count())]
    for chart in charts:
        found = [index for index, spot in enumerate(chart.data["spots"]) if spot["alerts"]]
        if found:
            return chart, found
    pytest.fail("no chart has an alert")


def test_hovering_over_the_first_slow_run_tells_of_its_alert(alerted):
    chart, (at, *_) = alerted
    assert re.search(r"alert\s+▼ new: 1\d\.\d % slower", chart.hover(at))
    assert "alert" not in chart.hover(at - 1)


def test_the_legend_knows_the_line_only_where_there_is_one(page, alerted, site, case_page):
    chart, _ = alerted
    assert "alert" in chart.figure.locator("figcaption").inner_text()
    page.goto(case_page.as_uri())
    assert "alert" not in page.locator("figcaption").inner_text()


def test_the_line_has_the_colour_of_what_became_of_it(page, alerted):
    painted = """(tone) => {
        const calls = [];
        const context = new Proxy({}, { get: (_, name) => () => calls.push(name),
            set: (_, name, value) => calls.push(`${name} ${value}`) > 0 });
        const u = { ctx: context, bbox: { left: 0, top: 0, width: 100, height: 50 }, data: [[0, 1]],
            scales: { x: { min: -1, max: 2 } }, valToPos: () => 10 };
        xeonperfTrend.draw.alerts(u, [{ alerts: [] }, { alerts: tone ? [{ tone }] : [] }]);
        return calls;
    }"""
    bad, good = page.evaluate(painted, "bad"), page.evaluate(painted, "good")
    assert [call for call in bad if call.startswith("strokeStyle")] != [
        call for call in good if call.startswith("strokeStyle")
    ]
    assert "fill" in bad
    assert "fill" not in page.evaluate(painted, "")


def test_the_row_in_the_table_leads_to_the_alert(page, alerted):
    page.get_by_role("link", name="▼ new:").first.click()
    page.wait_for_url("**/alert-*.html")
    assert page.locator("h1").is_visible()


def test_the_file_of_figures_has_them_too(page, alerted):
    chart, found = alerted
    lines = page.evaluate("(name) => xeonperfTrend.csv(xeonperfTrend.unpacked(name))", chart.data["name"]).split("\r\n")
    assert lines[0].endswith(",alerts")
    assert [index for index, line in enumerate(lines[1:]) if "% slower" in line] == found


def test_the_page_of_an_alert_leads_to_the_chart_of_its_machine(page, alerted_site):
    path = min(alerted_site.glob("alert-*"))
    page.goto(path.as_uri())
    page.get_by_role("link", name="The trend of the case").click()
    page.wait_for_url("**/case-*.html#class-*")
    section = page.locator(f"section[id='{page.url.partition('#')[2]}']")
    assert section.locator(".legend").get_by_text("alert").is_visible()
    assert section.evaluate("(found) => Math.abs(found.getBoundingClientRect().top) < window.innerHeight")
