"""The chart of a case, in a real browser."""

import re


def test_hovering_shows_sha_date_author_and_values(page, chart):
    shown = chart.hover(2)
    assert re.search(r"author\s+Ann\b", shown)
    for expected in ("0202020202 on main", "2026-05-03 14:00 UTC", "4.02x [3.97, 4.07]", "398 ms", "1.60 s", "✓ pass"):
        assert expected in shown


def test_hovering_over_a_gap_gives_its_reason(page, chart):
    assert "died by SIGILL" in chart.hover(4)
    assert "✗ crashed" in chart.tip


def test_hovering_shows_what_changed_in_the_environment(page, chart):
    assert "torch: 2.12.1 → 2.13.0" in chart.hover(6)
    assert "torch" not in chart.hover(7)


def test_a_new_level_of_the_latency_is_said_in_words_and_has_a_sign_in_the_legend(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    chart = opened_chart(page, 1)
    levels = [index for index, spot in enumerate(chart.data["spots"]) if spot["level"]]
    assert len(levels) == 1
    assert re.search(r"level changed\s+latency \+10", chart.hover(levels[0]))
    assert "level changed" not in chart.hover(levels[0] - 1)
    assert "level of the latency changed" in chart.figure.locator("figcaption").inner_text()
    assert "level" not in page.locator("figcaption").first.inner_text()


def test_a_level_and_an_environment_have_marks_of_their_own(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    chart = opened_chart(page, 1)
    drawn = """(names) => {
        const calls = [];
        const context = new Proxy({}, { get: (_, name) => name === "measureText" ? () => ({ width: 1 }) : (...given) =>
            calls.push([name, ...given]), set: (_, name, value) => calls.push([`${name} ${value}`]) > 0 });
        const u = { ctx: context, bbox: { left: 0, top: 0, width: 100, height: 50 }, data: [[0, 1]],
            scales: { x: { min: -1, max: 2 } }, valToPos: () => 10 };
        const spots = [{ changes: [], level: "" }, { changes: ["torch: 1 → 2"], level: "latency +5 %" }];
        xeonperfTrend.draw[names](u, spots, true);
        return calls.map(([name, first]) => name === "setLineDash" ? `${name} ${first.length}` : name);
    }"""
    environment, level = (page.evaluate(drawn, name) for name in ("environments", "levels"))
    assert "setLineDash 2" in environment
    assert "fillText" in environment
    assert "textAlign left" in environment  # where it begins is reckoned from its width
    assert "setLineDash 0" in level
    assert "fill" in level
    assert chart.runs == 30


def test_the_tooltip_goes_when_the_mouse_does(page, chart):
    assert chart.hover(2)
    page.mouse.move(5, 5)
    assert not chart.tip


def test_the_table_has_the_values_of_the_chart(page, chart):
    spots = chart.data["spots"]
    rows = page.locator("tr.point").all_inner_texts()
    assert len(rows) == len(spots) == 12
    for row, spot in zip(reversed(rows), spots, strict=True):
        cells = re.split(r"[\t\n]+", row)
        assert cells[0] == spot["date"].removesuffix(" UTC")
        assert cells[1].startswith(spot["sha"])
        if spot["gap"]:
            assert cells[-1] == spot["gap"]
        else:
            assert f"{cells[3]} {cells[4]}" == spot["speedup"]
            assert cells[-2:] == [spot["candidate"], spot["baseline"]]


def test_older_runs_are_added_to_the_table_as_they_would_stand_there(page, case_page, older_case_page):
    lines = "table.trend tbody tr"
    page.goto(case_page.as_uri())
    whole = page.locator(lines).all_inner_texts()
    page.goto(older_case_page.as_uri())
    assert page.locator("tr.point").count() == 5
    page.get_by_role("button", name="Show the 7 older runs in the table").click()
    assert page.locator(lines).all_inner_texts() == whole
    assert page.get_by_role("button", name="older").count() == 0


def test_a_change_of_the_environment_is_a_row_of_its_own(page, chart):
    assert page.locator("tr.environment").all_inner_texts() == ["environment changed torch 2.12.1 → 2.13.0"]


def test_arrow_keys_step_through_the_runs_and_enter_opens_one(page, chart):
    chart.box.focus()
    page.keyboard.press("End")
    assert "2026-05-12" in chart.tip
    page.keyboard.press("ArrowLeft")
    assert "2026-05-11" in chart.tip
    page.keyboard.press("Enter")
    page.wait_for_url("**/run-run-10.html")


def test_the_lines_are_drawn_again_in_the_colours_of_dark_mode(page, chart):
    pixels = "document.querySelector('.chart canvas').toDataURL()"
    light = page.evaluate(pixels)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"before => {pixels} !== before", arg=light)


def test_the_charts_follow_the_width_of_the_window(page, chart):
    page.set_viewport_size({"width": 600, "height": 900})
    page.wait_for_function("() => document.querySelector('.uplot').clientWidth < 600")
    assert page.locator(".uplot").count() == 3


def test_without_scripts_the_table_and_a_word_about_it_remain(browser, case_page):
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    plain.goto(case_page.as_uri())
    assert plain.locator("tr.point").count() == 12
    assert "the table below has the same values" in plain.locator("main").inner_text()
    context.close()
