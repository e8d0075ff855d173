"""Zooming the chart of a case, in a real browser."""

ALL_IN_VIEW = (
    "(before) => [...document.querySelectorAll('.chart canvas')].every((c, at) => c.toDataURL() === before[at])"
)


def test_dragging_zooms_all_three_plots_to_whole_runs_and_a_double_click_shows_everything_again(page, chart):
    everything = chart.pictures()
    chart.drag(chart.share(5.6), chart.share(8.4))
    chart.expect_address(zoom="202605071400-202605091400")
    assert all(now != before for now, before in zip(chart.pictures(), everything, strict=True))
    page.mouse.move(*chart.place(0.05))
    assert "2026-05-07" in chart.tip
    page.mouse.dblclick(*chart.place(0.5))
    page.mouse.move(5, 5)
    page.wait_for_function(ALL_IN_VIEW, arg=everything)
    chart.expect_address()


def test_dragging_in_a_lower_plot_zooms_too(page, chart):
    box = chart.box.locator(".u-over").nth(2).bounding_box()
    page.mouse.move(box["x"] + box["width"] * chart.share(0.6), box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * chart.share(3.4), box["y"] + 20, steps=4)
    page.mouse.up()
    chart.expect_address(zoom="202605021400-202605041400")


def test_dragging_between_two_runs_changes_nothing(chart):
    chart.drag(chart.share(5.2), chart.share(5.8))
    chart.expect_address()
    assert chart.button("See all").get_attribute("aria-disabled") == "true"


def test_a_drag_pins_nothing(chart):
    chart.drag(chart.share(5.6), chart.share(8.4))
    assert not chart.pinned.is_visible()


def test_buttons_zoom_in_and_out_and_show_everything(chart):
    chart.button("Zoom in").click()
    chart.expect_address(zoom="202605041400-202605091400")
    chart.button("Zoom in").click()
    chart.expect_address(zoom="202605061400-202605081400")
    chart.button("Zoom out").click()
    chart.expect_address(zoom="202605051400-202605101400")
    chart.button("See all").click()
    chart.expect_address()
    assert chart.button("Zoom out").get_attribute("aria-disabled") == "true"


def test_keys_zoom_around_the_run_that_is_looked_at(chart):
    assert "2026-05-12" in chart.press("End", "+")
    chart.expect_address(zoom="202605071400-202605121400")
    assert "2026-05-12" in chart.press("-")
    chart.expect_address()


def test_a_step_beyond_the_edge_takes_the_view_along(chart):
    chart.press("End", "+", "+", "ArrowLeft", "ArrowLeft")
    chart.expect_address(zoom="202605101400-202605121400")
    assert "2026-05-09" in chart.press("ArrowLeft")
    chart.expect_address(zoom="202605091400-202605111400")
    assert "2026-05-01" in chart.press("Home")
    chart.expect_address(zoom="202605011400-202605031400")


def test_zooming_ends_at_one_run(chart):
    chart.press("Home", "+", "+", "+", "+", "+", "+")
    chart.expect_address(zoom="202605011400-202605011400")
    assert chart.button("Zoom in").get_attribute("aria-disabled") == "true"
    chart.press("0")
    chart.expect_address()
