"""What a reader has set up is in the address: links and reloads keep it; in a real browser."""

from dataclasses import replace

import pytest

from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store

ZOOM = "202605031400-202605101400"


def address(chart, **state):
    return "#" + "&".join(f"{chart.key}.{name}={value}" for name, value in state.items())


def shown(chart):
    """Everything of the state that can be seen."""
    pressed = chart.figure.locator("[aria-pressed=true]").all_inner_texts()
    return chart.pictures(), pressed, chart.pinned.is_visible() and chart.pinned.inner_text()


def test_all_of_the_state_survives_a_reload_and_travels_by_link(page, context, chart, opened_chart):
    chart.click(2)
    chart.click(9)
    chart.drag(chart.share(1.6), chart.share(9.4))
    chart.press("d", "l")
    chart.expect_address(zoom=ZOOM, pin=chart.name(2), x="date", y="log", **{"with": chart.name(9)})
    page.mouse.move(5, 5)
    before = shown(chart)
    assert before[1] == ["Log axis", "By date"]
    page.reload()
    reloaded = opened_chart(page)
    assert shown(reloaded) == before
    elsewhere = context.new_page()
    elsewhere.goto(page.url)
    assert shown(opened_chart(elsewhere)) == before


@pytest.mark.parametrize(
    "state",
    [
        {"zoom": "yesterday"},
        {"zoom": "209901010000-209912310000"},
        {"zoom": "202605101400-202605031400"},
        {"pin": "run-99"},
        {"pin": "run-04"},
        {"pin": "__proto__"},
        {"pin": "202605051400-0404040404"},
        {"pin": "202605031400-0202020202.2"},
        {"with": "run-02"},
        {"x": "constructor", "y": "toString"},
        {"y": "%E0%A4%A"},
    ],
)
def test_what_makes_no_sense_is_passed_over(page, chart, opened_chart, state):
    before = shown(chart)
    target = page.url + address(chart, **state)
    page.goto("about:blank")
    page.goto(target)
    assert shown(opened_chart(page)) == before


@pytest.mark.parametrize("name", ["run-02", "202605031400"])
def test_a_link_of_old_still_pins(page, chart, opened_chart, name):
    target = page.url + address(chart, pin=name)
    page.goto("about:blank")
    page.goto(target)
    opened = opened_chart(page)
    assert "The run of 2026-05-03 14:00 is pinned" in opened.pinned.inner_text()
    opened.press("l")
    opened.expect_address(pin=opened.name(2), y="log")


def test_a_link_keeps_its_pin_when_the_run_loses_its_page(page, site, tmp_path, monkeypatch, opened_chart):
    with open_store(str(site.parent / "xeonperf.db"), readonly=True) as store:
        folder = write_site(store, tmp_path, run_id=store.resolve("latest")).parent
        page.goto(next(folder.glob("case-*.html")).as_uri())
        chart = opened_chart(page)
        chart.click(2)
        chart.expect_address(pin=chart.name(2))
        link = page.url
        monkeypatch.setattr("pytest_xeonperf.report.site.RUN_PAGES", 3)
        write_site(store, tmp_path, run_id=store.resolve("latest"))
    assert not (folder / "run-run-02.html").exists()
    page.goto("about:blank")
    page.goto(link)
    assert "The run of 2026-05-03 14:00 is pinned" in opened_chart(page).pinned.inner_text()
    assert page.url == link


def test_runs_of_one_minute_and_one_commit_have_names_of_their_own(page, site, tmp_path, opened_chart):
    with open_store(str(site.parent / "xeonperf.db"), readonly=True) as store:
        run = store.run("run-02")
    with open_store(str(tmp_path / "xeonperf.db")) as store:
        for number in range(3):
            store.add_run(replace(run, id=f"again-{number}", started_at=f"2026-05-03T14:00:0{number}+00:00"))
        written = write_site(store, tmp_path / "reports", run_id="again-2").parent
    page.goto(next(written.glob("case-*.html")).as_uri())
    chart = opened_chart(page)
    chart.press("End", " ", "ArrowLeft", " ")
    chart.expect_address(pin=f"{chart.name(2)}.3", **{"with": f"{chart.name(1)}.2"})
    page.reload()
    assert "/run-again-2.html" in opened_chart(page).pinned.get_by_role("link").first.evaluate("(link) => link.href")


def test_two_charts_keep_apart(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    one, other = opened_chart(page), opened_chart(page, 1)
    one.press("l")
    other.press("Home", " ")
    one.expect_address(y="log")
    other.expect_address(pin=other.name(0))
    page.reload()
    one, other = opened_chart(page), opened_chart(page, 1)
    assert one.button("Log axis").get_attribute("aria-pressed") == "true"
    assert other.button("Log axis").get_attribute("aria-pressed") == "false"
    assert not one.pinned.is_visible()
    assert other.pinned.is_visible()


def test_a_link_that_is_followed_on_the_open_page_is_obeyed(page, chart):
    page.evaluate("(hash) => { location.hash = hash; }", address(chart, y="zero", pin="run-02"))
    chart.pinned.wait_for()
    assert chart.button("From zero").get_attribute("aria-pressed") == "true"


def test_a_place_on_the_page_is_no_state(page, chart):
    chart.press("l")
    chart.expect_address(y="log")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash === '#main'")
    assert chart.button("Log axis").get_attribute("aria-pressed") == "true"
