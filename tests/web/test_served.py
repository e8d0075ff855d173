"""The same pages from a running service, whose policy is stricter than that of a file."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def served(wide_database):
    """Address of a service with forty runs, in a process of its own."""
    command = [sys.executable, "-m", "pytest_xeonperf", "serve", "--port", "0", "--db", f"sqlite:///{wide_database}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as service:
        said = service.stderr.readline()
        yield re.search(r"http://\S+", said)[0]
        service.terminate()
        service.stderr.read()
        service.wait(timeout=20)


@pytest.fixture
def page(browser, served, watch):
    """A window in which a request to anywhere else, or a word on the console, fails the test."""
    context = browser.new_context(color_scheme="light", viewport={"width": 1280, "height": 900})
    watched = watch(context, served, "data:", "blob:")
    yield context.new_page()
    context.close()
    assert watched.troubles == []


@pytest.fixture
def chart(page, served, wide_case_page, opened_chart):
    page.goto(served + wide_case_page.name)
    return opened_chart(page, 1)


def test_every_page_opens(page, served, wide_case_page):
    for name in ("", "run-wide-39.html", wide_case_page.name, "compare.html?base=wide-02&head=wide-38"):
        assert page.goto(served + name).ok, name
        assert page.locator("h1").is_visible()


def test_hovering_zooming_and_switching_work_under_the_policy(page, chart):
    assert "0000000000 on main" in chart.hover(0)
    chart.press("l", "d", "Home", "+")
    page.wait_for_function("() => location.hash.includes('zoom')")
    before = chart.pictures()
    page.reload()
    page.mouse.move(5, 5)
    chart.box.locator("canvas").first.wait_for()
    assert chart.pictures() == before


def test_a_second_click_leads_to_the_page_that_compares_and_back_to_the_pin(page, chart):
    chart.click(2)
    chart.click(25)
    page.wait_for_url("**/compare.html?base=*&head=*")
    spots = chart.data["spots"]
    base, head = (spots[run]["href"].removeprefix("run-").removesuffix(".html") for run in (2, 25))
    assert page.url.endswith(f"compare.html?base={base}&head={head}")
    assert page.locator("h1").is_visible()
    page.go_back()
    chart.expect_address(pin=chart.name(2))
    assert chart.pinned.is_visible()


def test_a_double_click_on_another_run_does_not_leave_the_page(page, chart):
    chart.click(2)
    page.wait_for_timeout(400)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.mouse.dblclick(*chart.place(chart.share(25)))
    page.wait_for_timeout(600)  # twice what a click waits for another
    assert asked == []
    chart.expect_address(pin=chart.name(2))


def test_two_runs_are_chosen_and_compared_under_the_policy(page, served):
    page.goto(served + "run-wide-20.html")
    page.get_by_label("base").select_option("wide-10")
    page.get_by_label("head").select_option("wide-38")
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url("**/compare.html?base=wide-10&head=wide-38")
    assert page.locator("h1").is_visible()
    page.locator("tbody").get_by_role("link").first.click()
    page.wait_for_url("**/case-*.html")


def test_the_first_page_leads_to_what_changed_since_the_run_before(page, served):
    page.goto(served)
    page.get_by_role("link", name="what changed since the run before").click()
    page.wait_for_url("**/compare.html?base=wide-35&head=wide-39")
    page.get_by_role("link", name="2026-06-12").click()
    page.wait_for_url("**/run-wide-39.html")


def test_the_data_of_a_chart_can_be_taken_away(page, chart):
    with page.expect_download() as waiting:
        chart.button("Download CSV").click()
    assert len(waiting.value.path().read_text(encoding="utf-8-sig").splitlines()) == 1 + chart.runs


def test_filters_work_under_the_policy(page, served):
    page.goto(served)
    page.get_by_label("workload").select_option(label="llama-2-7b")
    assert page.locator(".grid .cell:visible").count() == 1
    assert page.get_by_role("status").inner_text().startswith("1 of 3 cases")
