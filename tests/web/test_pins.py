"""Pinning a run of a chart and comparing it with another, in a real browser."""


def pins(chart, run, *, other=None):
    chart.click(run)
    if other is not None:
        chart.click(other)


def test_a_click_pins_and_the_tooltip_of_another_run_tells_the_difference(chart):
    pins(chart, 2)
    assert "The run of 2026-05-03 14:00 is pinned" in chart.pinned.inner_text()
    shown = " ".join(chart.hover(10).split())
    assert "against the pinned run of 2026-05-03 14:00" in shown
    assert shown.endswith("speed-up +2.0 % compiled_bf16 −2.0 % eager_fp32 ±0.0 %")  # noqa: RUF001


def test_the_pinned_run_says_so_and_a_gap_has_no_difference(chart):
    pins(chart, 2)
    assert chart.hover(2).endswith("pinned")
    assert "against" not in chart.hover(4)


def test_a_second_click_compares_on_disk_below_the_chart_and_says_who_moved(chart):
    pins(chart, 2, other=10)
    told = chart.pinned.inner_text()
    assert "The speed-up is 2.0 % higher; the candidate moved: the candidate's latency is 2.0 % lower" in told
    assert "the baseline's the same" in told
    assert "overlap: the difference may be noise" in told
    rows = [row.split("\t") for row in chart.pinned.locator("tbody tr").all_inner_texts()]
    assert ["speed-up", "4.02x [3.97, 4.07]", "4.10x [4.05, 4.15]", "+2.0 %"] in rows
    assert ["compiled_bf16", "398 ms", "390 ms", "−2.0 %"] in rows  # noqa: RUF001
    assert [link.inner_text() for link in chart.pinned.get_by_role("link").all()] == [
        "2026-05-03 14:00 UTC",
        "2026-05-11 14:00 UTC",
    ]


def test_intervals_that_do_not_meet_are_said_to_be_apart(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    chart = opened_chart(page, 1)
    pins(chart, 2, other=25)
    assert "Their intervals do not overlap." in chart.pinned.inner_text()


def test_another_click_compares_with_another_run_and_one_on_the_pinned_lets_go(page, chart):
    pins(chart, 2, other=10)
    chart.click(8)
    chart.expect_address(pin=chart.name(2), **{"with": chart.name(8)})
    page.wait_for_timeout(400)  # no double click
    chart.click(2)
    chart.expect_address()
    assert not chart.pinned.is_visible()


def test_the_comparison_fits_a_narrow_window(page, chart):
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function("() => document.querySelector('.uplot').clientWidth < 390")
    pins(chart, 2, other=10)
    assert chart.pinned.get_by_role("table").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_nothing_is_pinned_where_nothing_was_measured(chart):
    pins(chart, 4)
    assert not chart.pinned.is_visible()


def test_a_double_click_leaves_the_pin_where_it_was(page, chart):
    pins(chart, 2)
    page.wait_for_timeout(400)
    page.mouse.dblclick(*chart.place(chart.share(8)))
    chart.expect_address(pin=chart.name(2))


def test_space_pins_and_compares_and_escape_lets_go_of_one_thing_after_the_other(chart):
    chart.press("Home", " ", "End", " ")
    chart.expect_address(pin=chart.name(0), **{"with": chart.name(11)})
    assert "2026-05-12" in chart.press("Escape")
    chart.expect_address()
    assert not chart.press("Escape")


def test_the_button_unpins_and_gives_the_focus_back_to_the_chart(page, chart):
    pins(chart, 2)
    chart.pinned.get_by_role("button", name="Unpin").click()
    assert not chart.pinned.is_visible()
    assert page.evaluate("document.activeElement.className") == "chart"


def test_a_double_click_beside_the_plot_takes_nothing_back(page, chart):
    pins(chart, 2)
    page.wait_for_timeout(400)  # no double click
    chart.expect_address(pin=chart.name(2))
    chart.box.dispatch_event("dblclick")
    page.wait_for_timeout(400)
    chart.expect_address(pin=chart.name(2))
