"""Everything can be done with keys alone, in a real browser."""

import pytest

FOCUSED = "[document.activeElement.className, document.activeElement.textContent]"


def tab_to(page, wanted, most=40):
    """Tab until the focus is on what has this class or text."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted in page.evaluate(FOCUSED):
            return
    pytest.fail(f"{wanted} is not reached")


def test_a_run_is_found_pinned_compared_and_opened(page, case_page, opened_chart):
    page.goto(case_page.as_uri())
    chart = opened_chart(page)
    tab_to(page, "chart")
    for key in ("Home", " ", "End", " "):
        page.keyboard.press(key)
    assert "The speed-up is" in chart.pinned.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/run-run-11.html")


@pytest.mark.parametrize(
    ("name", "address"), [("Log axis", {"y": "log"}), ("Zoom in", {"zoom": "202605041400-202605091400"})]
)
def test_every_button_works_by_key_and_keeps_the_focus(page, chart, name, address):
    tab_to(page, name)
    page.keyboard.press("Enter")
    chart.expect_address(**address)
    assert name in page.evaluate(FOCUSED)


def test_keys_that_belong_to_the_browser_are_left_to_it(page, chart):
    chart.box.focus()
    page.evaluate(
        """() => { window.prevented = []; addEventListener("keydown", (event) => {
            window.prevented.push([event.key, event.defaultPrevented]); }); }"""
    )
    for key in ("Control+l", "Alt+d", "Tab"):
        page.keyboard.press(key)
    assert [key for key, prevented in page.evaluate("window.prevented") if prevented] == []


def test_letters_do_nothing_when_the_chart_does_not_have_the_focus(page, chart):
    page.keyboard.press("l")
    chart.button("See all").focus()
    page.keyboard.press("l")
    assert chart.button("Log axis").get_attribute("aria-pressed") == "false"


def test_filters_are_reached_and_set(page, wide_site):
    page.goto((wide_site / "index.html").as_uri())
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "workload":
            break
    page.keyboard.press("ArrowDown")
    assert page.get_by_role("status").inner_text().startswith("1 of 3 cases")


def test_what_has_the_focus_has_a_ring(page, chart):
    for wanted in ("Zoom in", "chart"):
        tab_to(page, wanted)
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
