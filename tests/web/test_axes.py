"""The axes of a chart: logarithmic, from zero, by date; in a real browser."""

from itertools import pairwise

import pytest


def pressed(chart):
    names = ("Log axis", "From zero", "By date")
    return [name for name in names if chart.button(name).get_attribute("aria-pressed") == "true"]


@pytest.mark.parametrize(
    ("name", "key", "address"),
    [("Log axis", "l", {"y": "log"}), ("From zero", "z", {"y": "zero"}), ("By date", "d", {"x": "date"})],
)
def test_a_button_and_its_key_switch_an_axis_and_back(chart, name, key, address):
    before = chart.pictures()
    chart.button(name).click()
    assert pressed(chart) == [name]
    chart.expect_address(**address)
    if name != "By date":  # these runs are a day apart: both look alike
        assert chart.pictures()[0] != before[0]
    chart.press(key)
    assert pressed(chart) == []
    chart.expect_address()


def test_a_log_axis_has_no_zero(chart):
    chart.press("l", "z")
    assert pressed(chart) == ["From zero"]
    chart.press("l", "d")
    assert pressed(chart) == ["Log axis", "By date"]


def test_the_run_that_is_looked_at_stays_when_an_axis_changes(chart):
    chart.press("End", "ArrowLeft")
    for key in ("l", "z", "d"):
        assert "2026-05-11" in chart.press(key), key


def test_runs_lie_by_their_dates_when_asked_to(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    chart = opened_chart(page)
    chart.press("d")
    chart.expect_address(x="date")
    dates = page.evaluate("(spots) => xeonperfTrend.places(spots, 'date')", chart.data["spots"])
    low, high = page.evaluate("(at) => xeonperfTrend.ends(at, 'date', 0, at.length - 1)", dates)
    assert len({after - before for before, after in pairwise(dates)}) > 1
    for run, spot in enumerate(chart.data["spots"]):
        page.mouse.move(*chart.place((dates[run] - low) / (high - low)))
        assert spot["date"] in chart.tip


def test_dragging_zooms_by_date_too(page, wide_case_page, opened_chart):
    page.goto(wide_case_page.as_uri())
    chart = opened_chart(page)
    chart.press("d")
    chart.drag(0.5, 0.99)
    dates = [spot["date"] for spot in chart.data["spots"]]
    assert dates[-1] == "2026-06-12 14:00 UTC"
    page.wait_for_function("() => location.hash.includes('zoom')")
    assert page.evaluate("location.hash").split("zoom=")[1].startswith("20260524")
