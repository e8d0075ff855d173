"""Dark mode, print and less motion, in a real browser."""

DRAWN_AS = "[...document.querySelectorAll('.chart canvas')].every((each, at) => each.toDataURL() === paper[at])"
WIDE_AS_ITS_BOX = (
    "document.querySelector('.chart canvas').width === document.querySelector('.chart').clientWidth * devicePixelRatio"
)
INK = "getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()"


def test_charts_are_drawn_again_when_the_scheme_changes(page, chart):
    light = chart.pictures()
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("(before) => document.querySelector('.chart canvas').toDataURL() !== before", arg=light[0])
    page.emulate_media(color_scheme="light")
    page.wait_for_function("(before) => document.querySelector('.chart canvas').toDataURL() === before", arg=light[0])


def test_a_dark_page_is_printed_in_the_colours_of_paper_its_charts_too(page, chart):
    page.emulate_media(color_scheme="light", media="print")
    page.wait_for_function(f"() => {WIDE_AS_ITS_BOX}")
    page.wait_for_timeout(100)
    paper = chart.pictures()
    page.emulate_media(color_scheme="dark", media="screen")
    page.wait_for_function(f"(paper) => !({DRAWN_AS})", arg=paper)
    page.emulate_media(color_scheme="dark", media="print")
    page.wait_for_function(f"(paper) => {DRAWN_AS}", arg=paper)
    assert page.evaluate(INK) == "#15191e"


def test_buttons_and_filters_are_not_printed(page, chart, wide_site):
    page.emulate_media(media="print")
    assert not chart.button("Zoom in").is_visible()
    page.goto((wide_site / "index.html").as_uri())
    assert not page.locator("select").first.is_visible()
    assert page.locator("form [role=status]").is_visible()


def test_nothing_moves_for_those_who_ask_for_that(page, chart):
    page.emulate_media(reduced_motion="reduce")
    moving = """[...document.querySelectorAll("*")].filter((each) => {
        const { transitionDuration, animationName } = getComputedStyle(each);
        return transitionDuration !== "0s" || animationName !== "none";
    }).length"""
    assert page.evaluate(moving) == 0
