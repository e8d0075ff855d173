"""All pages, opened from disk in a real browser."""

import pytest

WITH_CASES = ("index.html", "run-run-11.html", "case")
EVERY_PAGE = (*WITH_CASES, "machines.html")


@pytest.fixture(params=EVERY_PAGE)
def opened(request, page, site, case_page):
    page.goto((case_page if request.param == "case" else site / request.param).as_uri())
    return page


@pytest.mark.parametrize(("opened", "which"), [(page, page) for page in EVERY_PAGE], indirect=["opened"])
def test_the_verdict_is_the_first_thing_and_can_be_seen_without_scrolling(opened, which):
    heading = opened.locator("h1")
    words = {"case": ["✓", "Pass"], "machines.html": ["✗", "Problem"]}  # their runs name no compiler
    assert heading.inner_text().split() == words.get(which, ["✓", "Passed"])
    assert heading.bounding_box()["y"] < 200


@pytest.mark.parametrize("opened", WITH_CASES, indirect=True)
def test_a_hostile_name_is_text(opened):
    assert opened.locator("i:not(.key)").count() == 0
    assert "<i>encode</i>" in opened.locator("main").inner_text()


@pytest.mark.parametrize("width", [1280, 420])
def test_the_page_never_scrolls_sideways(opened, width):
    opened.set_viewport_size({"width": width, "height": 900})
    opened.wait_for_function("(width) => document.documentElement.scrollWidth === width", arg=width, timeout=5_000)


def test_dark_mode_changes_ground_and_ink(opened):
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    light = opened.evaluate(colours)
    opened.emulate_media(color_scheme="dark")
    dark = opened.evaluate(colours)
    assert light[0] != dark[0]
    assert light[1] != dark[1]


def test_print_is_dark_on_light_whatever_the_screen_is(opened):
    opened.emulate_media(color_scheme="dark", media="print")
    assert opened.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')").strip() == "#15191e"


def test_every_link_is_reached_by_the_tab_key_with_a_ring_around_it(opened):
    visible = "[...document.querySelectorAll('a[href]')].filter((link) => link.checkVisibility()).length"
    wanted = opened.evaluate(visible)
    reached = set()
    for _ in range(wanted + 40):
        opened.keyboard.press("Tab")
        found = opened.evaluate(
            """() => { const at = document.activeElement; return at.tagName === "A" && at.matches(":focus-visible")
                && getComputedStyle(at).outlineStyle === "solid"
                ? [...document.querySelectorAll("a[href]")].indexOf(at) : -1; }"""
        )
        reached.add(found)
    assert len(reached - {-1}) == wanted


def test_the_way_from_the_verdict_to_a_case_and_back_is_three_clicks(page, site):
    page.goto((site / "index.html").as_uri())
    page.click("text=The run with all its evidence")
    page.click("article >> text=Trend")
    page.click("nav >> text=pytest-xeonperf")
    assert page.url == (site / "index.html").as_uri()
