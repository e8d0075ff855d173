"""The trend of what is timed alone, in a real browser."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_xeonperf.records import OVER_NOTHING, Outcome, Timing, Unknown
from pytest_xeonperf.report.site import write_site
from pytest_xeonperf.store.engine import open_store

TEST = "tests/test_fft.py::test_fft"


@pytest.fixture(scope="module")
def alone_page(site, tmp_path_factory):
    """The page of a test of pytest-benchmark's, after three runs; the second was too slow."""
    folder = tmp_path_factory.mktemp("alone")
    with open_store(str(site.parent / "xeonperf.db"), readonly=True) as store:
        runs = [store.run(f"run-{number:02d}") for number in range(3)]
    with open_store(str(folder / "xeonperf.db")) as store:
        for number, run in enumerate(runs):
            (compared,) = run.results
            median_ns = 1_000_000 + 50_000 * number
            result = replace(
                compared,
                case=replace(compared.case, workload=TEST, phase="benchmark", variant="fft", over=OVER_NOTHING),
                measurement=Timing(item="call", rounds=1, durations_ns=(median_ns,), median_ns=median_ns),
                verdict=replace(
                    compared.verdict,
                    outcome=Outcome.BELOW_FLOOR if number == 1 else Outcome.PASS,
                    floor_ratio=Unknown(reason="no floor applies"),
                ),
            )
            store.add_run(replace(run, results=(result,)))
        index = write_site(store, folder / "reports", run_id="run-02")
    return index.parent / f"case-{result.case.id}.html"


def test_there_is_one_plot_and_its_tooltip_tells_a_latency(page, alone_page):
    page.goto(alone_page.as_uri())
    chart = page.locator(".chart")
    chart.locator("canvas").first.wait_for()
    assert chart.locator("canvas").count() == 1
    chart.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    shown = chart.locator(".tip").inner_text()
    assert "1.05 ms" in shown
    assert "below floor" in shown
    assert "speed-up" not in shown


def test_the_first_page_lists_it_and_leads_to_its_trend(page, alone_page):
    page.goto((alone_page.parent / "index.html").as_uri())
    section = page.locator("section[aria-labelledby=alone]")
    assert "1.10 ms" in section.inner_text()
    section.get_by_role("link", name=TEST).click()
    assert page.locator("tr.point").count() == 3


def test_its_pages_do_not_scroll_sideways(page, alone_page):
    page.set_viewport_size({"width": 390, "height": 800})
    for path in sorted(alone_page.parent.glob("*.html")):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path.name
