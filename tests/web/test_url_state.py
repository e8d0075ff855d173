"""What a reader has set up is in the address: links and reloads keep it; in a real browser."""

import pytest

FULL = {"zoom": "202605031400-202605101400", "pin": "run-02", "with": "run-09", "x": "date", "y": "log"}


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
    chart.expect_address(**FULL)
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


def test_two_charts_keep_apart(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    one, other = opened_chart(page), opened_chart(page, 1)
    one.press("l")
    other.press("Home", " ")
    one.expect_address(y="log")
    other.expect_address(pin="wide-00")
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
