"""The chart of a case, in a real browser."""

import re

import pytest


@pytest.fixture
def chart(page, case_page):
    page.goto(case_page.as_uri())
    page.locator(".chart canvas").first.wait_for()
    return page.locator(".chart")


def place(chart, run, of=12):
    """Pixels of a run in the topmost plot."""
    box = chart.locator(".u-over").first.bounding_box()
    return box["x"] + box["width"] * (run + 0.5) / of, box["y"] + box["height"] / 2


def tip(chart) -> str:
    return chart.locator(".tip").inner_text()


def test_hovering_shows_sha_date_and_values(page, chart):
    page.mouse.move(*place(chart, 2))
    shown = tip(chart)
    for expected in ("0202020202 on main", "2026-05-03 14:00 UTC", "4.02x [3.97, 4.07]", "398 ms", "1.60 s", "✓ pass"):
        assert expected in shown


def test_hovering_over_a_gap_gives_its_reason(page, chart):
    page.mouse.move(*place(chart, 4))
    assert "died by SIGILL" in tip(chart)
    assert "✗ crashed" in tip(chart)


def test_hovering_shows_what_changed_in_the_environment(page, chart):
    page.mouse.move(*place(chart, 6))
    assert "torch: 2.12.1 → 2.13.0" in tip(chart)
    page.mouse.move(*place(chart, 7))
    assert "torch" not in tip(chart)


def test_the_tooltip_goes_when_the_mouse_does(page, chart):
    page.mouse.move(*place(chart, 2))
    assert chart.locator(".tip").is_visible()
    page.mouse.move(5, 5)
    assert not chart.locator(".tip").is_visible()


def test_the_table_has_the_values_of_the_chart(page, chart):
    rows = page.locator("tr.point").all_inner_texts()
    assert len(rows) == 12
    chart.focus()
    page.keyboard.press("End")
    for row in rows:
        cells = re.split(r"[\t\n]+", row)
        said = re.split(r"\n+", tip(chart))
        assert f"{cells[0]} UTC" in said
        assert f"{cells[1].split()[0]} on main" in said
        wanted = [cells[-1]] if "died" in row else [f"{cells[3]} {cells[4]}", *cells[-2:]]
        assert set(wanted) <= set(said)
        page.keyboard.press("ArrowLeft")


def test_older_runs_are_added_to_the_table_as_they_would_stand_there(page, case_page, older_case_page):
    lines = "table.trend tbody tr"
    page.goto(case_page.as_uri())
    whole = page.locator(lines).all_inner_texts()
    page.goto(older_case_page.as_uri())
    assert page.locator("tr.point").count() == 5
    page.get_by_role("button", name="Show the 7 older runs in the table").click()
    assert page.locator(lines).all_inner_texts() == whole
    assert page.get_by_role("button").count() == 0


def test_a_change_of_the_environment_is_a_row_of_its_own(page, chart):
    assert page.locator("tr.environment").all_inner_texts() == ["environment changed torch 2.12.1 → 2.13.0"]


def test_arrow_keys_step_through_the_runs_and_enter_opens_one(page, chart):
    chart.focus()
    page.keyboard.press("End")
    assert "2026-05-12" in tip(chart)
    page.keyboard.press("ArrowLeft")
    assert "2026-05-11" in tip(chart)
    page.keyboard.press("Enter")
    page.wait_for_url("**/run-run-10.html")


def test_dragging_zooms_all_three_plots_and_a_double_click_shows_everything_again(page, chart):
    pictures = "[...document.querySelectorAll('.chart canvas')].map((canvas) => canvas.toDataURL())"
    everything = page.evaluate(pictures)
    (left, height), (right, _) = place(chart, 6), place(chart, 8)
    page.mouse.move(left, height)
    page.mouse.down()
    page.mouse.move(right, height, steps=5)
    page.mouse.up()
    page.wait_for_function(f"(before) => {pictures}.every((now, at) => now !== before[at])", arg=everything)
    page.mouse.move(*place(chart, 0))
    assert re.search("2026-05-0[678]", tip(chart))
    page.mouse.dblclick(*place(chart, 0))
    page.wait_for_function(f"(before) => {pictures}.every((now, at) => now === before[at])", arg=everything)


def test_the_lines_are_drawn_again_in_the_colours_of_dark_mode(page, chart):
    pixels = "document.querySelector('.chart canvas').toDataURL()"
    light = page.evaluate(pixels)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => {pixels} !== before", arg=light)


def test_the_charts_follow_the_width_of_the_window(page, chart):
    page.set_viewport_size({"width": 600, "height": 900})
    page.wait_for_function("document.querySelector('.uplot').clientWidth < 600")
    assert page.locator(".uplot").count() == 3


def test_without_scripts_the_table_and_a_word_about_it_remain(browser, case_page):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(case_page.as_uri())
    assert plain.locator("tr.point").count() == 12
    assert "the table below has the same values" in plain.locator("main").inner_text()
    context.close()
